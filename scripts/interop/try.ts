import { install } from "./Install.ts"
import { Lab } from "./Lab.ts"
import * as H from "./Homeservers.ts"
import { appservices, synapse } from "./peers.ts"
import { register, start } from "./startUp.ts"
const lab = new Lab()
try {
const only = process.argv.slice(3)
const regs = []
for (const p of appservices) { if (only.length && !only.includes(p.name)) continue; const i = await install(lab, p); if (i._tag==="Missing") { console.log(i.why); continue }; regs.push(await register(lab, p, i.folder, "x")) }
const files = regs.map(r=>r.file)
const hs = process.argv[2] === "synapse" ? await (async()=>{ const i = await install(lab, synapse); if (i._tag!=="Installed") throw i; return H.synapse(lab, i.folder, files) })() : await H.ours(lab, files)
console.log(hs)
for (const r of regs) { const s = await start(lab, r, hs); console.log(JSON.stringify(s.startUp, null, 1)); if (s.startUp.result==="failed"||process.env.V) console.log(s.running.output().slice(-3000)) }
} finally { await lab.end() }
