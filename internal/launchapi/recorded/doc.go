// Package recorded is a small recording of the launch API: real launches from Sputnik 1 to the manifest of
// August 2026, in the shape of Launch Library 2.3.0's detailed mode, as the API gave them at two moments. It stands
// behind SOURCE_URL=sample: and behind the tests of every layer.
//
// A [State] is all that the API would serve at one moment. State 1 is the collection on 11 July 2026, without a fault.
// State 2 is the same on 13 August 2026: launches that flew, slipped, were named or moved to another pad, new ones, and
// counters renumbered without a word. State 2 also has what a real API does on a bad day: records served twice, outdated
// versions, and a [Fault] for every rule of the Silver contract. [Summarize] says what to expect. [Generate] and
// [GenerateChanges] make any number of records of the same shape for tests of size; those launches are invented.
//
// The facts are in data/*.tsv, written for this project; README.md there says what each column means. Launches before
// December 2024 are from GCAT (Data from GCAT, J. McDowell, planet4589.org/space/gcat; CC BY 4.0), those of 2026 and
// the ids of companies, rockets and pads from Launch Library 2 (The Space Devs, thespacedevs.com). Mission types, orbits and
// reasons of failures are common knowledge in short words of our own. Numbers from 100001 on are ours where LL2's id is not
// known, and so are UUIDs of version 5.
//
// Counts and totals are those of the sample, not of the world: 1957-001 is launch 1 of some 760. There are no images,
// videos, boosters, crews or updates.
package recorded
