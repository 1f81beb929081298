# The real parts of the e2e suite: Debezium Servers from Maven Central, Java, PostgreSQL and MariaDB. Sourced after system.sh.
# No system service is ever started; the suite runs its own processes in temporary folders.

DEBEZIUM_VERSIONS='3.6.1.Final 2.5.4.Final'
RDI_CACHE=${RDI_CACHE:-$HOME/.cache/rdi}
export RDI_CACHE

ensure_feeders() {
  ensure_postgresql
  ensure_mariadb
  ensure_java
  local version
  for version in $DEBEZIUM_VERSIONS; do ensure_debezium "$version"; done
}

ensure_postgresql() {
  local found
  for found in /usr/lib/postgresql/*/bin/postgres; do [ -x "$found" ] && return 0; done
  install_system_packages PostgreSQL postgresql
}

# The core packages hold server and client without the service.
ensure_mariadb() {
  have mariadbd && have mariadb-install-db && have mariadb && return 0
  install_system_packages MariaDB mariadb-server-core mariadb-client-core
}

# Debezium 3 needs Java 21 or later, Debezium 2 runs on 17. Sets RDI_JAVA_3 and RDI_JAVA_2 (JAVA_HOME folders).
ensure_java() {
  RDI_JAVA_3=${RDI_JAVA_3:-$(find_java 25 24 23 22 21)}
  RDI_JAVA_2=${RDI_JAVA_2:-$(find_java 17 21)}
  if [ -z "$RDI_JAVA_2" ]; then
    install_system_packages 'Java 17 (runs Debezium 2.5)' openjdk-17-jre-headless
    RDI_JAVA_2=$(find_java 17 21)
  fi
  [ -n "$RDI_JAVA_3" ] ||
    fail 'Debezium 3.6 needs Java 21 or later. Install a JDK (for example Temurin 25), or set RDI_JAVA_3 to its folder, then run this again.'
  export RDI_JAVA_2 RDI_JAVA_3
}

# Prints the folder of the first of the given Java versions that is installed; nothing when none is.
find_java() {
  local version folder
  for version in "$@"; do
    for folder in "${JAVA_HOME:-/none}" /usr/lib/jvm/*; do
      [ -x "$folder/bin/java" ] && "$folder/bin/java" -version 2>&1 | grep -q "version \"$version[.\"]" && echo "$folder" && return 0
    done
  done
  return 0
}

ensure_debezium() {
  local version=$1 folder="$RDI_CACHE/debezium/$1" archive
  [ -f "$folder/run.sh" ] && return 0
  have mvn || install_system_packages 'Maven (fetches Debezium)' maven
  step "fetching Debezium Server $version from Maven Central (some hundred MB, once)"
  quietly mvn -q -B dependency:get -Dartifact="io.debezium:debezium-server-dist:$version:tar.gz" -Dtransitive=false ||
    fail "Maven could not fetch Debezium Server $version. Check the network and Maven's settings, then run this again."
  archive="${MAVEN_REPOSITORY:-$HOME/.m2/repository}/io/debezium/debezium-server-dist/$version/debezium-server-dist-$version.tar.gz"
  [ -f "$archive" ] || fail "Maven kept Debezium somewhere else than $archive. Set MAVEN_REPOSITORY to its local repository, then run this again."
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  tar -xzf "$archive" -C "$folder.new" --strip-components=1
  mv "$folder.new" "$folder"
}
