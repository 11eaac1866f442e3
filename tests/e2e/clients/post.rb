# post.rb LIBRARY URL NAME=VALUE... - sends the signal in each of a library's ways; see
# test_clients.py.

require 'json'
require 'net/http'
require 'stringio'

LIBRARY, URL, *PAIRS = ARGV
SIGNAL = PAIRS.to_h { |pair| pair.split('=', 2) }
SOURCE = { 'X-Source' => LIBRARY }.freeze
AS_JSON = { **SOURCE, 'Content-Type' => 'application/json' }.freeze
AS_NDJSON = { **SOURCE, 'Content-Type' => 'application/x-ndjson' }.freeze

def named(name)
  { **SIGNAL, 'messageId' => name }
end

def batch
  (1..3).map { |number| { **named("batch-#{number}"), 'number' => number, 'part' => number / 7.0 } }
end

def lines
  StringIO.new((1..2).map { |number| "#{JSON.generate(named("stream-#{number}"))}\n" }.join)
end

def post(path, headers)
  uri = URI(URL + path)
  request = Net::HTTP::Post.new(uri, headers)
  yield request
  answer = Net::HTTP.start(uri.hostname, uri.port) { |http| http.request(request) }
  answer.value
end

def with_net_http
  post('', AS_JSON) { |request| request.body = JSON.generate(named('json')) }
  post('/batch', AS_JSON) { |request| request.body = JSON.generate(batch) }
  post('', SOURCE) { |request| request.set_form_data(named('form')) }
  post('', SOURCE) { |request| request.set_form(named('multipart').to_a, 'multipart/form-data') }
  post('/batch', { **AS_NDJSON, 'Transfer-Encoding' => 'chunked' }) do |request|
    request.body_stream = lines
  end
end

def with_faraday
  require 'faraday'
  client = Faraday.new(headers: SOURCE) do |faraday|
    faraday.request :url_encoded
    faraday.response :raise_error
    faraday.adapter :net_http
  end
  client.post(URL, JSON.generate(named('json')), AS_JSON)
  client.post("#{URL}/batch", JSON.generate(batch), AS_JSON)
  client.post(URL, named('form'))
end

def with_faraday_retry
  require 'date' # which its reading of Retry-After forgets
  require 'faraday'
  require 'faraday/retry' unless Faraday::VERSION.start_with?('1.')
  client = Faraday.new do |faraday|
    faraday.request :retry, max: 300, interval: 0.2, methods: [:post], retry_statuses: [503],
                            exceptions: [Faraday::ConnectionFailed, Faraday::RetriableResponse]
    faraday.adapter :net_http
  end
  answer = client.post(URL, JSON.generate(named('json')), AS_JSON)
  raise answer.body unless answer.success?
end

{ 'ruby-net-http' => :with_net_http, 'ruby-faraday' => :with_faraday,
  'ruby-faraday-retry' => :with_faraday_retry }.fetch(LIBRARY).then { |name| send(name) }
