using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Http;

/// <summary>Hands the limits to the server, which holds them before any code of ours runs.</summary>
internal sealed class HttpLimitSetup(IOptions<HttpLimitOptions> options) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions kestrel)
    {
        var (limits, wanted) = (kestrel.Limits, options.Value);
        limits.RequestHeadersTimeout = wanted.HeadersTimeout;
        limits.KeepAliveTimeout = wanted.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(wanted.MinBodyRate, wanted.BodyGrace);
        limits.MaxRequestHeadersTotalSize = wanted.MaxHeaderBytes;
        limits.MaxRequestHeaderCount = wanted.MaxHeaders;
        limits.MaxRequestLineSize = wanted.MaxRequestLineBytes;
        // A request line and its headers must fit in what is buffered of a client.
        limits.MaxRequestBufferSize = Math.Max(limits.MaxRequestBufferSize ?? 0, wanted.MaxRequestLineBytes + wanted.MaxHeaderBytes);
    }
}
