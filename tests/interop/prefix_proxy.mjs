// A reverse proxy as hosts have them: it ends TLS, and serves one application under a path that it takes off.
// Usage: node prefix_proxy.mjs PREFIX TARGET_PORT KEY CERTIFICATE --port PORT
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'

const [prefix, target, key, cert, , port] = process.argv.slice(2)

function forward(request) {
  return http.request({
    host: '127.0.0.1',
    port: target,
    method: request.method,
    path: request.url.slice(prefix.length),
    headers: {
      ...request.headers,
      host: `127.0.0.1:${target}`,
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': request.headers.host,
      'x-forwarded-prefix': prefix,
    },
  })
}

const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  if (!request.url.startsWith(`${prefix}/`)) return response.writeHead(404).end('Nothing is served here.')
  const forwarded = forward(request)
  forwarded.on('response', (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  forwarded.on('error', () => response.destroy())
  response.on('close', () => forwarded.destroy())
  request.pipe(forwarded)
})

server.on('upgrade', (request, socket) => {
  const forwarded = forward(request)
  forwarded.on('upgrade', (answer, tunnel, head) => {
    const headers = answer.rawHeaders.map((part, index) => part + (index % 2 ? '\r\n' : ': ')).join('')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`)
    socket.write(head)
    tunnel.pipe(socket).pipe(tunnel)
    tunnel.on('error', () => socket.destroy())
    socket.on('error', () => tunnel.destroy())
    socket.on('close', () => tunnel.destroy())
  })
  forwarded.on('response', (answer) => socket.end(`HTTP/1.1 ${answer.statusCode} Refused\r\n\r\n`))
  forwarded.on('error', () => socket.destroy())
  forwarded.end()
})

server.listen(Number(port), '127.0.0.1')
