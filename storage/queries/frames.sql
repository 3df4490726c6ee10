-- name: owners
SELECT d.id, d.name, d.kind
FROM device d
WHERE d.region = %(region)s AND (%(device)s::text IS NULL OR d.name = %(device)s)
  AND (EXISTS (SELECT FROM frame f WHERE f.device_id = d.id)
       OR EXISTS (SELECT FROM tracker_frame f WHERE f.device_id = d.id))
ORDER BY d.id

-- name: page
-- In the order in which frames came: what two of them say is what the first one said.
SELECT time, seq, {place}, model, port, payload, received_at
FROM {table}
WHERE device_id = %(device)s
  AND (%(model)s::text IS NULL OR model = %(model)s)
  AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR time < %(until)s)
  AND (received_at, time, seq) > (%(after_received)s, %(after_time)s, %(after_seq)s)
ORDER BY received_at, time, seq
LIMIT %(limit)s

-- name: stored
SELECT {columns} FROM {table} WHERE device_id = %(device)s AND time = ANY (%(times)s)
UNION
SELECT {columns} FROM {table} WHERE device_id = %(device)s AND received_at = ANY (%(came)s)

-- name: remove
DELETE FROM {table} row
USING unnest(%(times)s::timestamptz[], %(seqs)s::int8[]) AS gone (time, seq)
WHERE row.device_id = %(device)s AND row.time = gone.time AND row.seq = gone.seq

-- name: forget_state
-- First, and so that the ingester waits: what it stores meanwhile is seen by the next statement.
DELETE FROM {last} WHERE device_id = %s

-- name: renew_state
INSERT INTO {last} AS known ({columns})
SELECT {columns} FROM {table}
WHERE device_id = %s AND NOT clock_suspect
ORDER BY time DESC, seq DESC LIMIT 1
ON CONFLICT (device_id) DO UPDATE SET {changes}
WHERE (excluded.time, excluded.seq) > (known.time, known.seq)
