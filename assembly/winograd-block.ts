/** What convWinograd holds of a block of tiles: where each one belongs, the record of its GEMM, the buffers between the steps. */
import { CLAMP } from "./activation";
import { MR, NR } from "./blocks";
import { partsOf, tileCount } from "./gemm";
import { oddLines } from "./lines";
import { ConvParams } from "./params";
import { isGathered, phaseTaps } from "./winograd-phases";
import { CHUNK } from "./winograd-transforms";

/** Where the results of a tile begin, and how many of its rows and columns there are. */
@unmanaged
export class Place {
  batch: i32;
  row: i32;
  column: i32;
  rows: i32;
  columns: i32;
  /** Not all of its results are finite. */
  broken: i32;
}

/** Addresses of what `work` holds, and the distances within it. */
@unmanaged
export class Block {
  gemm: ConvParams;
  places: usize;
  /** One for each set of phases: see `multiply` in winograd.ts. */
  tables: usize;
  tableBytes: usize;
  copied: usize;
  half: usize;
  /** [phase][factor][tile][channel] */
  factors: usize;
  phaseBytes: usize;
  factorBytes: usize;
  tileBytes: usize;
  products: usize;
  productBytes: usize;
  productRow: usize;
  rest: usize;
}

/** Results of a tile along a row. */
// @ts-ignore: decorator
@inline
export function resultsAlong(p: ConvParams): i32 {
  return p.points - phaseTaps(p.kW, p.strideW) + 1;
}

/** Lays out `work`: a Block, then what it points at, in its order; sized in src/winograd.ts. */
export function layOut(p: ConvParams, work: usize): Block {
  const points = p.points, m = resultsAlong(p), tiles = p.innerBand;
  const gathered = isGathered(p);
  const phases = gathered ? 1 : p.strideH * p.strideW;
  const rows = p.kH > 1 ? points : 1;
  const panels = p.groups * ((p.groupOutC + NR - 1) / NR);
  const block = changetype<Block>(work);
  const lines = <usize>rows * <usize>(((tiles - 1) * m + points) | 1) * CHUNK;
  let at = work + ((offsetof<Block>() + 15) & ~15);
  block.gemm = changetype<ConvParams>(at);
  memory.copy(at, changetype<usize>(p), offsetof<ConvParams>());
  block.gemm.activation = CLAMP;
  block.gemm.low = -Infinity;
  block.gemm.high = Infinity;
  at += (offsetof<ConvParams>() + 15) & ~15;
  block.places = at;
  at += <usize>tiles * offsetof<Place>();
  block.tables = at;
  block.tableBytes = <usize>(tileCount(tiles) * MR * (gathered ? 1 : partsOf(p.groupInC)) * phases) << 2;
  at += phases > 1 ? 4 * block.tableBytes : block.tableBytes;
  at = (at + 63) & ~63;
  block.copied = at;
  at += lines;
  block.half = at;
  at += max(lines, <usize>(m * points) * CHUNK);
  block.factors = at;
  block.tileBytes = gathered ? CHUNK : <usize>p.inC << 2;
  block.factorBytes = oddLines(<usize>tiles * block.tileBytes);
  block.phaseBytes = <usize>(rows * points) * block.factorBytes;
  at += <usize>phases * block.phaseBytes;
  block.products = at;
  block.productRow = <usize>(panels * NR) << 2;
  block.productBytes = oddLines(<usize>tiles * block.productRow);
  block.rest = at + <usize>(rows * points) * block.productBytes;
  return block;
}
