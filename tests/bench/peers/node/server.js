// The same work in Node.js: a cluster of Fastify processes, a pg pool in each, prepared statements.
//
//     node server.js PORT PROCESSES CONNECTIONS
//
// No web server stands in front of it. CONNECTIONS is how many each process has to PostgreSQL (PGHOST
// and so on). The statement is the shared one of tests/bench/peers/insert.sql; pg prepares what
// has a name once a connection.
'use strict';

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const [port, processes, connections] = process.argv.slice(2).map(Number);

if (cluster.isPrimary) {
	for (let i = 0; i < processes; i++)
		cluster.fork();
	cluster.on('exit', () => process.exit(1));
} else {
	serve();
}

function sha256(text) {
	return crypto.createHash('sha256').update(text).digest();
}

function serve() {
	const { Pool } = require('pg');
	const fastify = require('fastify')({ logger: false, bodyLimit: 1 << 20 });
	const pool = new Pool({ max: connections, min: connections, idleTimeoutMillis: 0 });
	const text = fs.readFileSync(path.join(__dirname, '..', 'insert.sql'), 'utf8');

	// Parsed once, here; the received text is what is stored.
	fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
		try {
			done(null, { text: body, signal: JSON.parse(body) });
		} catch (error) {
			error.statusCode = 400;
			done(error);
		}
	});

	fastify.post('/api/signal-staging/webhook/:key', {
		schema: {
			response: {
				202: {
					type: 'object',
					properties: {
						id: { type: 'string' },
						message: { type: 'string' },
						source: { type: 'string' },
						cold_storage: { type: 'boolean' },
					},
				},
			},
		},
	}, async (request, reply) => {
		const { text: payload, signal } = request.body;
		const secret = request.headers['x-api-secret'];
		const stored = await pool.query({
			name: 'insert',
			text,
			values: [sha256(request.params.key), secret === undefined ? null : sha256(secret),
				signal.type ?? null, signal.event ?? null,
				typeof signal.email === 'string' ? signal.email.toLowerCase() : null,
				signal.userId ?? null, signal.anonymousId ?? null, signal.messageId ?? null,
				signal.timestamp ?? null, request.id, payload],
		});
		if (stored.rowCount !== 1)
			return reply.code(401).send({ code: 'unauthenticated' });
		return reply.code(202).send({
			id: stored.rows[0].id,
			message: 'Signal received and queued for processing',
			source: 'generic',
			cold_storage: false,
		});
	});

	fastify.listen({ host: '127.0.0.1', port, backlog: 511 });
}
