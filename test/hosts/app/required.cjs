/** For those with `require` too. */
const library = require('wasm-conv');
const { answers } = require('./digits.js');

answers(library).then((found) => console.log(JSON.stringify(found)));
