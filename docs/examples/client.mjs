// Talks to a Picky server with nothing but Node.js 18 or newer:
//   node client.mjs http://127.0.0.1:8470 HANDLE < password
// Signs in, looks for something of somebody else's, asks about it, and prints the whole talk.
import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'

const [server, handle] = process.argv.slice(2)
const password = readFileSync(0, 'utf8').trimEnd()
let token

async function call(method, path, body, idempotencyKey) {
  const headers = { 'Content-Type': 'application/json' }
  if (token) headers.Authorization = `Bearer ${token}`
  if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey
  for (let attempt = 1; ; attempt++) {
    let problem
    try {
      const answer = await fetch(`${server}/v1${path}`, {
        method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10_000),
      })
      if (answer.status === 204) return undefined
      const data = await answer.json()
      if (answer.ok) return data
      problem = data // application/problem+json: code, detail, retryable, retry_after_s
    } catch (error) { // no answer: it may have been done, and the same key does it once
      problem = { code: 'unreachable', detail: error.message, retryable: true }
    }
    if (!problem.retryable || attempt === 5) throw new Error(`${problem.code}: ${problem.detail}`)
    await new Promise((done) => setTimeout(done, (problem.retry_after_s ?? 2 ** attempt / 4) * 1000))
  }
}

async function* pages(path) {
  for (let next = path; next;) {
    const page = await call('GET', next)
    yield* page.items
    next = page.next_cursor && `${path}&cursor=${encodeURIComponent(page.next_cursor)}`
  }
}

const signedIn = await call('POST', '/sessions', { handle, password, device: 'node example' })
token = signedIn.token
let wanted
for await (const card of pages('/listings?sort=newest&limit=5')) {
  const listing = await call('GET', `/listings/${card.id}`)
  if (listing.seller.id !== signedIn.account.id) { wanted = listing; break }
}
if (!wanted) throw new Error('nobody else sells anything')
const room = await call('POST', '/chatrooms', { listing_id: wanted.id }, randomUUID())
const message = { cid: randomUUID(), text: `Is this still to be had: ${wanted.title}?` }
await call('POST', `/chatrooms/${room.id}/messages`, message, randomUUID())

const history = [] // a cursor here is a place in the room: the oldest seq that is known
for (let before = ''; before !== null;) {
  const page = await call('GET', `/chatrooms/${room.id}/messages?limit=20${before}`)
  history.unshift(...page.items)
  before = page.has_more_before ? `&before=${page.first_seq}` : null
}
for (const said of history) console.log(said.seq, said.sender_id, said.text || said.system?.event)
await call('DELETE', '/sessions/current')
