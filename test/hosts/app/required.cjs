/** For those with `require` too. */
const { createEngine } = require('wasm-conv');
const { answers } = require('./digits.js');

answers(createEngine).then((found) => console.log(JSON.stringify(found)));
