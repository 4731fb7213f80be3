// The MCP SDKs for TypeScript start, work and grade an incident of each task, over stdio and behind a proxy that ends
// TLS and takes a path off. Seeds that are high survive JavaScript.
// Usage: node typescript_client.mjs MODULES SERVER ADDRESS PLAYS
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [modules, server, address, playsFile] = process.argv.slice(2)
const load = createRequire(`${modules}/`)
const plays = JSON.parse(readFileSync(playsFile)).filter((play) => play.scenario_id.endsWith('-001'))
const seed = 2 ** 47 + 1

const sdks = {
  'SDK 1.x': Object.assign(
    {},
    ...['index', 'stdio', 'streamableHttp', 'sse'].map((part) => load(`@modelcontextprotocol/sdk/client/${part}.js`)),
  ),
  'client 2.x': { ...load('@modelcontextprotocol/client'), ...load('@modelcontextprotocol/client/stdio') },
}

function* numbers(value) {
  if (typeof value === 'number') yield value
  else if (value !== null && typeof value === 'object') for (const part of Object.values(value)) yield* numbers(part)
}

async function play(sdk, transport) {
  const client = new sdk.Client({ name: 'interop', version: '1.0.0' })
  await client.connect(transport)
  const call = async (name, parameters) => {
    const result = await client.callTool({ name, arguments: parameters })
    assert(!result.isError, result.content[0].text)
    return result
  }

  const { tools } = await client.listTools()
  for (const tool of tools) for (const number of numbers(tool.inputSchema)) assert(number < 2 ** 31, tool.name)

  for (const { scenario_id, calls } of plays) {
    const started = await call('start_drill', { incident: scenario_id })
    const { episode_id } = started.structuredContent
    let result
    for (const { tool, arguments: parameters, evidence } of calls) {
      result = await call(tool, { ...parameters, episode_id })
      assert(result.content[0].text.includes(evidence ?? ''))
    }
    assert.equal(result.structuredContent.grade.score, 1)
    await call('grade_drill', { episode_id })
    await call('close_drill', { episode_id })
  }
  for (const incident of [seed, String(seed)]) {
    const started = await call('start_drill', { incident, task_id: 'root_cause_analysis', difficulty: 2 })
    assert.equal(started.structuredContent.scenario_id, `GEN1-RCA-D2-${seed}`)
    await call('close_drill', { episode_id: started.structuredContent.episode_id })
  }
  await client.close()
}

for (const [name, sdk] of Object.entries(sdks)) {
  await play(sdk, new sdk.StdioClientTransport({ command: server, args: ['mcp'] }))
  for (const path of ['mcp', 'mcp/']) await play(sdk, new sdk.StreamableHTTPClientTransport(new URL(`${address}/${path}`)))
  await play(sdk, new sdk.SSEClientTransport(new URL(`${address}/sse`)))
  console.log(`TypeScript ${name}: stdio, and streamable HTTP and SSE behind a proxy: ${plays.length} incidents each, 1.0`)
}

const reset = { task_id: 'root_cause_analysis', difficulty: 2, seed }
const answer = await fetch(`${address}/reset`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(reset),
})
const { observation } = await answer.json()
assert.equal(observation.scenario_id, `GEN1-RCA-D2-${seed}`)
console.log('fetch: a reset by a seed of 2^47 + 1 behind the proxy')
