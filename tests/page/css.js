// css.js WEB - what is wrong with the style sheets of the settings page: syntax, at-rules,
// properties and values that no browser knows, custom properties that are not defined or not used,
// and rules for classes that no module or document mentions. Messages begin with file:line.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const css = require('css-tree');

const web = process.argv[2];
const names = fs.readdirSync(web, { recursive: true }).map(String).sort();
const filesOf = pattern => names.filter(name => pattern.test(name))
	.map(name => path.join(web, name));

const words = new Set(); // of the modules and documents
const stems = []; // `json-${kind}` mentions every class that begins with json-
const defined = new Map();
const used = new Map();
let failed = false;

function complain(file, loc, text) {
	console.log(`${file}:${loc?.start?.line ?? loc?.line ?? 1}: ${text}`);
	failed = true;
}

// css-tree cannot match a value that holds var(); it says so with an error of another kind.
function complainOfMatch(file, loc, what, error) {
	if (!error || !/^Syntax(Match|Reference)?Error$/.test(error.name))
		return;
	const wanted = error.syntax ? `; expected ${error.syntax}` : '';
	complain(file, loc, `${what}: ${error.rawMessage ?? error.message}${wanted}`);
}

function readWords(file) {
	const text = fs.readFileSync(file, 'utf8');
	for (const [word] of text.matchAll(/[\w-]+/g))
		words.add(word);
	for (const [, stem] of text.matchAll(/([\w-]+-)\$\{/g))
		stems.push(stem);
}

// The parser closes at the end of the file whatever was left open.
function checkBraces(file, text) {
	const open = [];
	css.tokenize(text, (type, start) => {
		if (type === css.tokenTypes.LeftCurlyBracket)
			open.push(start);
		else if (type === css.tokenTypes.RightCurlyBracket)
			open.pop();
	});
	for (const start of open)
		complain(file, { line: text.slice(0, start).split('\n').length }, 'this block has no end');
}

function checkAtrule(file, node) {
	const unknown = css.lexer.checkAtruleName(node.name);
	complainOfMatch(file, node.loc, `@${node.name}`, unknown);
	if (!unknown)
		complainOfMatch(file, node.loc, `@${node.name}`,
			css.lexer.matchAtrulePrelude(node.name, node.prelude).error);
}

function checkDeclaration(file, node) {
	const { property, value, loc } = node;
	if (property.startsWith('--')) {
		defined.set(property, { file, loc });
		for (const [, name] of css.generate(value).matchAll(/var\((--[\w-]+)/g))
			used.set(name, { file, loc });
		return;
	}
	const unknown = css.lexer.checkPropertyName(property);
	complainOfMatch(file, loc, property, unknown);
	if (!unknown)
		complainOfMatch(file, loc, property, css.lexer.matchProperty(property, value).error);
}

function checkClass(file, node) {
	if (!words.has(node.name) && !stems.some(stem => node.name.startsWith(stem)))
		complain(file, node.loc, `.${node.name} is not a class of any module or document`);
}

function checkSheet(file) {
	const text = fs.readFileSync(file, 'utf8');
	checkBraces(file, text);
	const tree = css.parse(text, { filename: file, positions: true,
		onParseError: error => complain(file, error, error.message) });
	css.walk(tree, node => {
		if (node.type === 'Atrule')
			checkAtrule(file, node);
		else if (node.type === 'Declaration')
			checkDeclaration(file, node);
		else if (node.type === 'ClassSelector')
			checkClass(file, node);
		else if (node.type === 'Function' && node.name === 'var' && node.children?.first)
			used.set(node.children.first.name, { file, loc: node.loc });
	});
}

filesOf(/\.(js|html)$/).forEach(readWords);
filesOf(/\.css$/).forEach(checkSheet);
for (const [name, { file, loc }] of used)
	if (!defined.has(name))
		complain(file, loc, `${name} is not defined`);
for (const [name, { file, loc }] of defined)
	if (!used.has(name))
		complain(file, loc, `${name} is not used`);
process.exitCode = failed ? 1 : 0;
