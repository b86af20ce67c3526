using System.Collections.Immutable;
using System.Net.Http.Headers;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>What the CA answered, whatever the status; the body is whole and bounded.</summary>
internal sealed record AcmeAnswer(int Status, string? MediaType, byte[] Body, Uri? Location, string? Nonce, TimeSpan? RetryAfter)
{
    /// <summary>Links with <c>rel="alternate"</c> (RFC 8555, 7.4.2).</summary>
    public ImmutableArray<Uri> Alternates { get; init; } = [];

    /// <summary>What the CA's clock said.</summary>
    public DateTimeOffset? Date { get; init; }

    public bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>
/// One exchange with the CA: bounded in time and size, network faults as values. Thread-safe.
/// </summary>
internal sealed class AcmeHttp : IDisposable
{
    /// <summary>More than the longest chain that anybody serves.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    public const string JoseJson = "application/jose+json";

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly int _maxBody;

    public AcmeHttp(HttpMessageHandler handler, TimeSpan timeout, TimeProvider time, int maxBody = MaxBodyBytes)
    {
        (_timeout, _time, _maxBody) = (timeout, time, maxBody);
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        // RFC 8555, 6.1: a client names itself and should say which language it reads.
        var version = typeof(AcmeHttp).Assembly.GetName().Version?.ToString(3) ?? "0";
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("PiccoloAppliance", version));
        _http.DefaultRequestHeaders.AcceptLanguage.Add(new StringWithQualityHeaderValue("en"));
    }

    /// <summary>How far the CA's clock was ahead of ours at its last answer; null before the first.</summary>
    public TimeSpan? ServerAhead { get; private set; }

    public async Task<AcmeResult<AcmeAnswer>> SendAsync(HttpMethod method, Uri url, byte[]? jws, string? accept, CancellationToken cancellationToken)
    {
        var (began, start) = (_time.GetUtcNow(), _time.GetTimestamp());
        var result = await ExchangeAsync(method, url, jws, accept, cancellationToken);
        AcmeTranscript.Current?.Add(began, _time.GetElapsedTime(start), method, url, jws, result);
        return result;
    }

    public void Dispose() => _http.Dispose();

    private async Task<AcmeResult<AcmeAnswer>> ExchangeAsync(HttpMethod method, Uri url, byte[]? jws, string? accept, CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(_timeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, url);
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        if (jws is not null) request.Content = new ByteArrayContent(jws) { Headers = { ContentType = new MediaTypeHeaderValue(JoseJson) } };
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.Headers.Date is { } date) ServerAhead = date - _time.GetUtcNow();
            if (await ReadAsync(response.Content, limit.Token) is not { } body)
                return AcmeFailure.Bad("too_large", $"The CA's answer is larger than {_maxBody / 1024} KiB.");
            return new AcmeAnswer(
                (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType?.ToLowerInvariant(), body, Location(response, url),
                Header(response, "Replay-Nonce"),
                RetryAfter.Parse(Header(response, "Retry-After"), _time.GetUtcNow()))
            {
                Alternates = Links.Alternates(response.Headers.TryGetValues("Link", out var links) ? links : [], url),
                Date = response.Headers.Date,
            };
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new AcmeFailure(AcmeFailureClass.Network, "timeout", $"{url.Host} did not answer within {_timeout.TotalSeconds:0} s.");
        }
        catch (HttpRequestException e)
        {
            return Failure(e, url);
        }
        catch (IOException)
        {
            return new AcmeFailure(AcmeFailureClass.Network, "connection_lost", $"The connection to {url.Host} broke in the middle of an answer.");
        }
    }

    private async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > _maxBody) return null;
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > _maxBody) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    private static Uri? Location(HttpResponseMessage response, Uri request) =>
        response.Headers.Location is not { } location
            ? null
            : location.IsAbsoluteUri ? location
            : Uri.TryCreate(request, location, out var whole) ? whole
            : null;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static AcmeFailure Failure(HttpRequestException e, Uri url) => e.HttpRequestError switch
    {
        _ when e.InnerException is CertificateOutOfDateException outOfDate => new(AcmeFailureClass.Clock, "clock_wrong", outOfDate.Message),
        HttpRequestError.NameResolutionError => new(AcmeFailureClass.Network, "dns_failed", $"The name {url.Host} could not be resolved."),
        HttpRequestError.SecureConnectionError =>
            new(AcmeFailureClass.Network, "tls_failed", $"The TLS certificate of {url.Host} is not trusted, or the handshake failed."),
        HttpRequestError.ConnectionError =>
            new(AcmeFailureClass.Network, "connect_failed", $"The certificate authority at {url.Host} port {url.Port} could not be reached."),
        HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError => AcmeFailure.Bad("bad_http", $"{url.Host} does not answer in HTTP."),
        HttpRequestError.ConfigurationLimitExceeded => AcmeFailure.Bad("too_large", $"The headers of {url.Host} are larger than allowed."),
        _ => new(AcmeFailureClass.Network, "connection_lost", $"The connection to {url.Host} broke."),
    };
}
