# The web page: builds it, and puts a browser in place for its tests. Sourced after packages.sh and system.sh.

# Builds src/ui into dist/ui, from where the program is run or packed.
build_page() {
  step 'building the web page'
  (cd "$ROOT" && quietly vite build --config vite.ui.config.ts) || fail 'the web page could not be built; the lines above say why.'
}

# Any Chromium on PATH, or the one that RDI_TEST_CHROMIUM names.
ensure_chromium() {
  [ -z "${RDI_TEST_CHROMIUM:-}" ] || return 0
  { have chromium || have chromium-browser || have google-chrome; } && return 0
  install_system_packages 'a browser for the tests of the web page' chromium
  have chromium || fail 'chromium is still not on PATH after its installation. Name its file in RDI_TEST_CHROMIUM, then run this again.'
}
