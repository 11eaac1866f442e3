# post.pl LIBRARY URL NAME=VALUE... - sends the signal in each of a library's ways; see
# test_clients.py.

use strict;
use warnings;
use Encode qw(decode_utf8 encode_utf8);
use JSON::PP qw(encode_json);

my ($library, $url, @pairs) = map { decode_utf8 $_ } @ARGV;
my %signal = map { split /=/, $_, 2 } @pairs;

sub named { return (%signal, messageId => shift) }

# LWP wants bytes in a form, HTTP::Tiny characters.
sub named_in_bytes { return map { encode_utf8 $_ } named(@_) }

sub batch {
    return encode_json([map { {named("batch-$_"), number => $_, part => $_ / 7} } 1 .. 3]);
}

sub lines {
    my @lines = map { encode_json({named("stream-$_")}) . "\n" } 1 .. 2;
    return sub { shift @lines };
}

my @json = ('Content-Type' => 'application/json');
my @ndjson = ('Content-Type' => 'application/x-ndjson');
my @source = ('X-Source' => $library);

my %libraries = (
    'perl-LWP' => sub {
        require LWP::UserAgent;
        require HTTP::Request::Common;
        my $agent = LWP::UserAgent->new;
        my $next = lines();
        my $stream = HTTP::Request->new(POST => "$url/batch", [@source, @ndjson], $next);
        for my $request (
            HTTP::Request::Common::POST($url, @source, @json,
                Content => encode_json({named('json')})),
            HTTP::Request::Common::POST("$url/batch", @source, @json, Content => batch()),
            HTTP::Request::Common::POST($url, [named_in_bytes('form')], @source),
            HTTP::Request::Common::POST($url, @source, Content_Type => 'form-data',
                Content => [named_in_bytes('multipart')]),
            $stream)
        {
            my $answer = $agent->request($request);
            die $answer->as_string unless $answer->is_success;
        }
    },
    'perl-Tiny' => sub {
        require HTTP::Tiny;
        my $http = HTTP::Tiny->new(default_headers => {@source});
        for my $answer (
            $http->post($url, {headers => {@json}, content => encode_json({named('json')})}),
            $http->post("$url/batch", {headers => {@json}, content => batch()}),
            $http->post_form($url, {named('form')}),
            $http->post("$url/batch", {headers => {@ndjson}, content => lines()}))
        {
            die "$answer->{status} $answer->{content}" unless $answer->{success};
        }
    },
);

$libraries{$library}->();
