<?php
// post.php LIBRARY URL NAME=VALUE... - sends the signal in each of a library's ways; see
// test_clients.py.

[, $library, $url] = $argv;
$signal = [];
foreach (array_slice($argv, 3) as $pair) {
    [$name, $value] = explode('=', $pair, 2);
    $signal[$name] = $value;
}

function named(string $name): array
{
    global $signal;
    return [...$signal, 'messageId' => $name];
}

function batch(): array
{
    return array_map(fn ($number) => [...named("batch-$number"), 'number' => $number,
        'part' => $number / 7], [1, 2, 3]);
}

function lines(): Generator
{
    foreach ([1, 2] as $number)
        yield json_encode(named("stream-$number")) . "\n";
}

function with_curl(string $url): void
{
    $send = function (string $path, array $options, array $headers = []) use ($url): void {
        $curl = curl_init($url . $path);
        curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_FAILONERROR => true,
            CURLOPT_HTTPHEADER => ["X-Source: {$GLOBALS['library']}", ...$headers]] + $options);
        if (curl_exec($curl) === false)
            throw new Exception(curl_error($curl));
    };
    $json = ['Content-Type: application/json'];
    $lines = lines();
    $send('', [CURLOPT_POSTFIELDS => json_encode(named('json'))], $json);
    $send('/batch', [CURLOPT_POSTFIELDS => json_encode(batch())], $json);
    $send('', [CURLOPT_POSTFIELDS => http_build_query(named('form'))]);
    $send('', [CURLOPT_POSTFIELDS => named('multipart')]);
    $send('/batch', [CURLOPT_POST => true, CURLOPT_READFUNCTION =>
        function () use ($lines): string {
            $line = $lines->current() ?? '';
            $lines->next();
            return $line;
        }], ['Content-Type: application/x-ndjson', 'Transfer-Encoding: chunked']);
}

function with_streams(string $url): void
{
    foreach ([
        ['', 'application/json', json_encode(named('json'))],
        ['/batch', 'application/json', json_encode(batch())],
        ['', 'application/x-www-form-urlencoded', http_build_query(named('form'))],
    ] as [$path, $type, $body]) {
        $context = stream_context_create(['http' => ['method' => 'POST', 'content' => $body,
            'header' => ["Content-Type: $type", "X-Source: {$GLOBALS['library']}"]]]);
        if (file_get_contents($url . $path, false, $context) === false)
            exit(1);
    }
}

function guzzle(array $options = []): GuzzleHttp\Client
{
    require_once 'GuzzleHttp/autoload.php';
    return new GuzzleHttp\Client([...$options, 'headers' => ['X-Source' => $GLOBALS['library']]]);
}

function with_guzzle(string $url): void
{
    $client = guzzle();
    $parts = [];
    foreach (named('multipart') as $name => $contents)
        $parts[] = ['name' => $name, 'contents' => $contents];
    $client->post($url, ['json' => named('json')]);
    $client->post("$url/batch", ['json' => batch()]);
    $client->post($url, ['form_params' => named('form')]);
    $client->post($url, ['multipart' => $parts]);
    $client->post("$url/batch", ['body' => GuzzleHttp\Psr7\Utils::streamFor(lines()),
        'headers' => ['Content-Type' => 'application/x-ndjson']]);
}

function with_guzzle_retry(string $url): void
{
    require_once 'GuzzleHttp/autoload.php';
    $stack = GuzzleHttp\HandlerStack::create();
    $stack->push(GuzzleHttp\Middleware::retry(fn ($tries, $request, $response) =>
        $tries < 300 && ($response === null || $response->getStatusCode() === 503), fn () => 200));
    guzzle(['handler' => $stack])->post($url, ['json' => named('json')]);
}

['php-curl' => 'with_curl', 'php-streams' => 'with_streams', 'php-guzzle' => 'with_guzzle',
    'php-guzzle-retry' => 'with_guzzle_retry'][$library]($url);
