import { describe, expect, it } from 'vitest';
import { outcome, x } from './jmespath-evaluate.ts';

const xml = (text: string) => outcome('xml_to_dict(x)', x(text));

describe('XML becomes an object', () => {
  it.each([
    ['<a/>', '{"a":null}'],
    ['<a></a>', '{"a":null}'],
    ['<a> t </a>', '{"a":"t"}'],
    ['<a b="1" c=\'2\'/>', '{"a":{"@b":"1","@c":"2"}}'],
    ['<a b="1">t</a>', '{"a":{"@b":"1","#text":"t"}}'],
    ['<a>x<b/>y</a>', '{"a":{"b":null,"#text":"xy"}}'],
    ['<a><b>1</b><c/><b>2</b><b/></a>', '{"a":{"b":["1","2",null],"c":null}}'],
    ['<n:a xmlns:n="u"><n:b>1</n:b></n:a>', '{"n:a":{"@xmlns:n":"u","n:b":"1"}}'],
    ['<a>&lt;&amp;&#233;&#x1F600;&quot;&apos;&gt;</a>', '{"a":"<&é😀\\"\'>"}'],
    ['<a><![CDATA[<b>&amp;</b>]]></a>', '{"a":"<b>&amp;</b>"}'],
    ['\ufeff<?xml version="1.0"?>\n<!-- c --><!DOCTYPE a SYSTEM "a.dtd">\n<a>1<!-- 2 -->3</a>\n', '{"a":"13"}'],
    ['<größe é="1"/>', '{"größe":{"@é":"1"}}'],
  ])('%s is %s', (text, expected) => {
    expect(xml(text)).toBe(expected);
  });
});

describe('what is not well-formed rejects the record', () => {
  it.each([
    ['<a>', '<a> is not closed'],
    ['<a></b>', '</b> closes <a>'],
    ['</a>', '</a> closes nothing'],
    ['text', 'outside the root'],
    ['<a/><b/>', 'more than one root'],
    ['<a/>text', 'outside the root'],
    [' ', 'no element'],
    ['<a b/>', 'no value'],
    ['<a b=1/>', 'no quotes'],
    ['<a b="1" b="2"/>', 'stands twice'],
    ['<a b="1"c="2"/>', 'a blank is due'],
    ['<a', 'not closed'],
    ['<1/>', 'a name is due'],
    ['<a>&nbsp;</a>', 'entity'],
    ['<a>a & b</a>', 'entity'],
    ['<a>&#0;</a>', 'entity'],
    ['<a><!-- </a>', 'a comment has no end'],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'declarations'],
  ])('%s: %s', (text, words) => {
    expect(xml(text)).toMatch(/^!xml_to_dict\(x\): argument 1 \(the field x\) is no well-formed XML: /);
    expect(xml(text)).toContain(words);
  });

  it('depths that would exhaust the stack', () => {
    expect(xml('<a>'.repeat(100_000))).toContain('levels deep');
  });
});
