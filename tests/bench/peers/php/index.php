<?php
// The same work in PHP: one process a request, a persistent connection to PostgreSQL in each.
//
// PDO sends a statement and its parameters in one message (ATTR_DISABLE_PREPARES): preparing it
// anew in each request, as a persistent connection otherwise does, would cost two more. The text of
// the statement is the shared one of tests/bench/peers/insert.sql, made into insert.php at the start.
declare(strict_types=1);

function answer(int $status, array $body): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body);
    exit;
}

function text(array $signal, string $name): ?string
{
    return is_string($signal[$name] ?? null) ? $signal[$name] : null;
}

$payload = file_get_contents('php://input');
$signal = json_decode($payload, true);
if (!is_array($signal)) {
    answer(400, ['code' => 'malformed_json']);
}
$path = explode('/', $_SERVER['REQUEST_URI']);
$email = text($signal, 'email');

$database = new PDO($_SERVER['BENCH_DSN'], 'postgres', null, [
    PDO::ATTR_PERSISTENT => true,
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::PGSQL_ATTR_DISABLE_PREPARES => true,
]);
$statement = $database->prepare(require __DIR__ . '/insert.php');
$statement->bindValue(':p1', hash('sha256', end($path), true), PDO::PARAM_LOB);
$secret = $_SERVER['HTTP_X_API_SECRET'] ?? null;
$statement->bindValue(':p2', $secret === null ? null : hash('sha256', $secret, true),
    $secret === null ? PDO::PARAM_NULL : PDO::PARAM_LOB);
$texts = [text($signal, 'type'), text($signal, 'event'),
    $email === null ? null : strtolower($email), text($signal, 'userId'),
    text($signal, 'anonymousId'), text($signal, 'messageId'), text($signal, 'timestamp'),
    bin2hex(random_bytes(12)), $payload];
foreach ($texts as $i => $value) {
    $statement->bindValue(':p' . ($i + 3), $value, $value === null ? PDO::PARAM_NULL : PDO::PARAM_STR);
}
$statement->execute();
$id = $statement->fetchColumn();
if ($id === false) {
    answer(401, ['code' => 'unauthenticated']);
}
answer(202, ['id' => $id, 'message' => 'Signal received and queued for processing',
    'source' => 'generic', 'cold_storage' => false]);
