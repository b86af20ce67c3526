using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Apps;
using Piccolo.Core.Listeners;
using Yarp.ReverseProxy.Forwarder;

namespace Piccolo.Api.Ingress;

/// <summary>Forwards a request to the app behind a listener: streaming both ways, without limits of size or of total time.</summary>
internal sealed class AppForwarder : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly IHttpForwarder _forwarder;
    private readonly AppExchange _exchange;
    private readonly AppConnections _connections;
    private readonly ILogger<AppForwarder> _logger;
    private readonly AppRequestTransformer _transformer = new(null);
    private readonly TimeSpan _connectTimeout;
    private readonly ForwarderRequestConfig _http;
    private readonly ForwarderRequestConfig _grpc;
    private HttpMessageInvoker _upstream;

    public AppForwarder(IHttpForwarder forwarder, AppExchange exchange, AppConnections connections, IOptions<IngressOptions> options, ILogger<AppForwarder> logger)
    {
        (_forwarder, _exchange, _connections, _logger) = (forwarder, exchange, connections, logger);
        _connectTimeout = options.Value.ConnectTimeout;
        _upstream = NewUpstream();
        var idle = options.Value.ForwardIdleTimeout;
        _http = new ForwarderRequestConfig { ActivityTimeout = idle, Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        _grpc = _http with { Version = HttpVersion.Version20 };
    }

    public ValueTask ForwardAsync(HttpContext context, PublishedListener listener)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var sending = target is ['/', ..] && !ForwardingRules.IsPlainTarget(target) ? ValueTask.FromResult(ForwardOutcome.BadRequest)
            : AppExchange.CanTake(context, listener, target) ? _exchange.RunAsync(context, listener.GuardPort, ForwardedFields.Of(context), HstsOf(context, listener))
            : ByYarpAsync(context, listener);
        if (!sending.IsCompletedSuccessfully) return AwaitAsync(sending, context, listener);
        var outcome = sending.Result;
        return outcome == ForwardOutcome.Done ? ValueTask.CompletedTask : FailAsync(context, listener, outcome);
    }

    /// <summary>Breaks off what is under way and closes the connections that wait for their next request: their buffers hold what apps said last.</summary>
    public void Drop()
    {
        _connections.Drop();
        Interlocked.Exchange(ref _upstream, NewUpstream()).Dispose();
    }

    public void Dispose() => _upstream.Dispose();

    private async ValueTask AwaitAsync(ValueTask<ForwardOutcome> sending, HttpContext context, PublishedListener listener)
    {
        var outcome = await sending;
        if (outcome != ForwardOutcome.Done) await FailAsync(context, listener, outcome);
    }

    private async ValueTask<ForwardOutcome> ByYarpAsync(HttpContext context, PublishedListener listener)
    {
        Unlimit(context);
        var destination = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{listener.GuardPort}");
        var config = listener.Definition.Protocol == ListenerProtocol.Grpc ? _grpc : _http;
        var transformer = HstsOf(context, listener) is { } age ? new AppRequestTransformer(age) : _transformer;
        var error = await _forwarder.SendAsync(context, destination, Volatile.Read(ref _upstream), config, transformer);
        return error switch
        {
            ForwarderError.None => ForwardOutcome.Done,
            ForwarderError.RequestTimedOut => ForwardOutcome.TimedOut,
            _ when context.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => ForwardOutcome.Unavailable,
            _ => ForwardOutcome.BadAnswer,
        };
    }

    private async ValueTask FailAsync(HttpContext context, PublishedListener listener, ForwardOutcome outcome)
    {
        var failure = ForwardFailure.Of(outcome);
        _logger.ForwardFailed(listener.App, listener.Name, outcome.ToString(), failure.Status);
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return;
        // Of a half-read answer some header fields may be there already.
        context.Response.Clear();
        await IngressPage.WriteAsync(context, failure.Status, failure.Code, failure.Title, failure.Detail, outcome == ForwardOutcome.BadRequest ? null : RetryAfter);
    }

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
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    }));

    /// <summary>Browsers heed HSTS over https only (RFC 6797, 8.1), and a LAN port has no name of its own.</summary>
    private static int? HstsOf(HttpContext context, PublishedListener listener) => context.Request.IsHttps ? listener.Definition.HstsMaxAge : null;

    /// <summary>Uploads of any size at any speed; only silence in both directions ends a request.</summary>
    private static void Unlimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
    }
}
