using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Piccolo.Core.Listeners;
using Yarp.ReverseProxy.Forwarder;

namespace Piccolo.Api.Ingress;

/// <summary>Forwards a request to the app behind a listener: streaming both ways, without limits of size or of total time.</summary>
internal sealed class AppForwarder : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly IHttpForwarder _forwarder;
    private readonly ILogger<AppForwarder> _logger;
    private readonly AppRequestTransformer _transformer = new(null);
    private readonly TimeSpan _connectTimeout;
    private HttpMessageInvoker _upstream;
    private readonly ForwarderRequestConfig _http;
    private readonly ForwarderRequestConfig _grpc;

    private readonly SocketLoops _loops;
    public AppForwarder(IHttpForwarder forwarder, IOptions<IngressOptions> options, ILogger<AppForwarder> logger, SocketLoops loops)
    {
        _loops = loops;
        (_forwarder, _logger) = (forwarder, logger);
        _connectTimeout = options.Value.ConnectTimeout;
        _upstream = NewUpstream();
        var idle = options.Value.ForwardIdleTimeout;
        _http = new ForwarderRequestConfig { ActivityTimeout = idle, Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        _grpc = _http with { Version = HttpVersion.Version20 };
    }

    public async Task ForwardAsync(HttpContext context, PublishedListener listener)
    {
        Unlimit(context);
        var destination = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{listener.GuardPort}");
        var config = listener.Definition.Protocol == ListenerProtocol.Grpc ? _grpc : _http;
        var error = await _forwarder.SendAsync(context, destination, Volatile.Read(ref _upstream), config, TransformerFor(context, listener));
        if (error == ForwarderError.None) return;

        var failure = context.Features.Get<IForwarderErrorFeature>()?.Exception;
        var (status, code, title, detail) = Explain(error, failure);
        _logger.ForwardFailed(listener.App, listener.Name, error.ToString(), status);
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return;
        // Of a half-read answer some header fields may be there already.
        context.Response.Clear();
        await IngressPage.WriteAsync(context, status, code, title, detail, RetryAfter);
    }

    /// <summary>Breaks off what is under way and closes the connections that wait for their next request: their buffers hold what apps said last.</summary>
    public void Drop() => Interlocked.Exchange(ref _upstream, NewUpstream()).Dispose();

    public void Dispose() => _upstream.Dispose();

    private HttpMessageInvoker NewUpstream() => new(new FlushedUploads(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        // What a client sends to trace its request by goes on as any other header field; nothing is added.
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = _connectTimeout,
        ConnectCallback = async (c, cancel) =>
        {
            var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
            if (!Piccolo.Core.Primitives.SocketPoller.ConnectToThisMachine(socket, c.DnsEndPoint.Port, TimeSpan.FromMilliseconds(20))) throw new IOException();
            await Task.CompletedTask;
            return new LoopStream(new LoopSocket(socket, SocketLoop.Current ?? _loops.Next()));
        },
    }));

    /// <summary>Browsers heed HSTS over https only (RFC 6797, 8.1), and a LAN port has no name of its own.</summary>
    private AppRequestTransformer TransformerFor(HttpContext context, PublishedListener listener) =>
        listener.Definition.HstsMaxAge is { } age && context.Request.IsHttps ? new AppRequestTransformer(age) : _transformer;

    /// <summary>Uploads of any size at any speed; only silence in both directions ends a request.</summary>
    private static void Unlimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
    }

    private static (int Status, string Code, string Title, string Detail) Explain(ForwarderError error, Exception? failure) => error switch
    {
        ForwarderError.RequestTimedOut =>
            (StatusCodes.Status504GatewayTimeout, "app_timeout", "The app does not answer", "The app took the request but sent no answer in time."),
        _ when failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } =>
            (StatusCodes.Status503ServiceUnavailable, "app_unavailable", "The app is not running", "The app does not accept connections. It may be starting."),
        _ => (StatusCodes.Status502BadGateway, "app_bad_answer", "The app's answer is unusable", "The app broke off, or did not answer as its listener declares."),
    };
}
