using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Dispatch;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>Hands the limits to the server, which holds them before any code of ours runs: the only place that does.</summary>
internal sealed class HttpLimitSetup(IOptions<HttpLimitOptions> options, IOptions<IngressOptions> ingress) : IConfigureOptions<KestrelServerOptions>
{
    /// <summary>As a rate of responses: so fast that what a client took earns it no time for the rest.</summary>
    private const double NoCredit = 1e12;

    /// <summary>
    /// So many times our own limits: what lies between is refused by <see cref="RequestSize"/>, with 414 or 431. Beyond it a request of HTTP/1.1 gets the
    /// server's own refusal, and one of HTTP/2 ends its stream or its connection, with all that goes on there.
    /// </summary>
    internal const int Headroom = 4;

    public void Configure(KestrelServerOptions kestrel)
    {
        var (limits, wanted) = (kestrel.Limits, options.Value);
        limits.RequestHeadersTimeout = wanted.HeadersTimeout;
        limits.KeepAliveTimeout = wanted.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(wanted.MinBodyRate, wanted.BodyGrace);
        // Each write has this long, and the next one as long again: a deadline that progress renews.
        limits.MinResponseDataRate = new MinDataRate(NoCredit, ingress.Value.SendTimeout);
        limits.MaxRequestHeadersTotalSize = limits.Http2.MaxRequestHeaderFieldSize = wanted.MaxHeaderBytes * Headroom;
        limits.MaxRequestHeaderCount = wanted.MaxHeaders;
        limits.MaxRequestLineSize = Math.Max(wanted.MaxHeaderBytes, wanted.MaxRequestLineBytes) * Headroom;
        // A request line and its headers must fit in what is buffered of a client.
        limits.MaxRequestBufferSize = Math.Max(limits.MaxRequestBufferSize ?? 0, limits.MaxRequestLineSize + limits.MaxRequestHeadersTotalSize);
        limits.MaxConcurrentUpgradedConnections = ingress.Value.MaxConnections;
        limits.Http2.MaxStreamsPerConnection = ingress.Value.MaxStreamsPerConnection;
    }
}
