#!/bin/bash
# post.sh LIBRARY URL NAME=VALUE... - sends the signal in each of a program's ways; see
# test_clients.py.
set -euo pipefail

library=$1 url=$2
shift 2
pairs=("$@")

json() {
    jq -cn '$ARGS.positional | map(capture("(?<key>[^=]*)=(?<value>.*)")) | from_entries' \
        --args "${pairs[@]}" "messageId=$1"
}

curl_post() {
    curl -sS --fail-with-body -o "$TMPDIR/answer" -H "X-Source: $library" "$@"
}

wget_post() {
    wget -q -O "$TMPDIR/answer" --header "X-Source: $library" "$@"
}

batch() {
    printf '[%s,%s,%s]' "$(json batch-1)" "$(json batch-2)" "$(json batch-3)"
}

encoded() {
    json "$1" | jq -r 'to_entries | map("\(.key)=\(.value | @uri)") | join("&")'
}

case $library in
curl)
    fields=() parts=()
    for pair in "${pairs[@]}"; do
        fields+=(--data-urlencode "$pair")
        parts+=(--form-string "$pair")
    done
    curl_post --json "$(json json)" "$url"
    batch | curl_post -H 'Content-Type: application/json' --data-binary @- "$url/batch"
    curl_post "${fields[@]}" --data-urlencode messageId=form "$url"
    curl_post "${parts[@]}" --form-string messageId=multipart "$url"
    { json stream-1 && json stream-2; } |
        curl_post -X POST -T - -H 'Content-Type: application/x-ndjson' "$url/batch"
    ;;
curl-retry)
    curl_post --retry 300 --retry-delay 1 --retry-all-errors --json "$(json json)" "$url"
    ;;
wget)
    wget_post --header 'Content-Type: application/json' --post-data "$(json json)" "$url"
    batch >"$TMPDIR/batch"
    wget_post --header 'Content-Type: application/json' --post-file "$TMPDIR/batch" "$url/batch"
    wget_post --post-data "$(encoded form)" "$url"
    ;;
wget-retry)
    wget_post --tries 300 --waitretry 1 --retry-on-http-error=503 \
        --header 'Content-Type: application/json' --post-data "$(json json)" "$url"
    ;;
esac
