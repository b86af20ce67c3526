using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Api.Ingress.Forwarding.Yarp;
using Piccolo.Api.Ingress.Responses;
using Piccolo.Core.Listeners;
using Yarp.ReverseProxy.Forwarder;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>
/// Forwards a request to the app behind a listener: streaming both ways, without limits of size or of total time. gRPC goes over HTTP/2, all else over
/// HTTP/1.1.
/// </summary>
internal sealed class AppForwarder : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly IHttpForwarder _grpcForwarder;
    private readonly AppExchange _exchange;
    private readonly ForwardFailureLog _failures;
    private readonly RequestSlots _slots;
    private readonly ForwarderRequestConfig _grpc;
    private readonly HttpMessageInvoker _grpcUpstream;

    public AppForwarder(IHttpForwarder forwarder, AppExchange exchange, ForwardFailureLog failures, IOptions<IngressOptions> options)
    {
        (_grpcForwarder, _exchange, _failures) = (forwarder, exchange, failures);
        _slots = new RequestSlots(options.Value.MaxRequestsPerListener);
        _grpcUpstream = NewUpstream(options.Value.ConnectTimeout);
        _grpc = new ForwarderRequestConfig
        {
            ActivityTimeout = options.Value.ForwardIdleTimeout,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public ValueTask ForwardAsync(HttpContext context, PublishedListener listener)
    {
        if (!_slots.TryEnter(listener.GuardPort, out var slot)) return new ValueTask(FailAsync(context, listener, new(ForwardOutcome.Busy)));
        var sending = SendAsync(context, listener);
        if (!sending.IsCompletedSuccessfully) return AwaitAsync(sending, slot, context, listener);
        slot.Dispose();
        var result = sending.Result;
        return result.Outcome == ForwardOutcome.Done ? ValueTask.CompletedTask : new ValueTask(FailAsync(context, listener, result));
    }

    public void Dispose() => _grpcUpstream.Dispose();

    private ValueTask<ForwardResult> SendAsync(HttpContext context, PublishedListener listener)
    {
        if (listener.Definition.Protocol == ListenerProtocol.Grpc) return GrpcAsync(context, listener);
        var wrong = ForwardPlan.TryMake(context, out var plan);
        if (wrong != ForwardOutcome.Done) return ValueTask.FromResult(new ForwardResult(wrong));
        if (plan.Framing != RequestFraming.None) Unlimit(context);
        return _exchange.RunAsync(context, listener.GuardPort, plan, ForwardedFields.Of(context), HstsOf(context, listener));
    }

    private async ValueTask AwaitAsync(ValueTask<ForwardResult> sending, RequestSlots.Slot slot, HttpContext context, PublishedListener listener)
    {
        ForwardResult result;
        try
        {
            result = await sending;
        }
        finally
        {
            slot.Dispose();
        }
        if (result.Outcome != ForwardOutcome.Done) await FailAsync(context, listener, result);
    }

    private async ValueTask<ForwardResult> GrpcAsync(HttpContext context, PublishedListener listener)
    {
        if (!ForwardingRules.AreTokens(context.Request)) return new(ForwardOutcome.BadField);
        var rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!RequestTarget.TryRead(rawTarget, context.Request.Method, out _)) return new(ForwardOutcome.BadTarget);
        Unlimit(context);
        var destination = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{listener.GuardPort}");
        var error = await _grpcForwarder.SendAsync(context, destination, _grpcUpstream, _grpc, new GrpcTransformer(HstsOf(context, listener)));
        var cause = context.Features.Get<IForwarderErrorFeature>()?.Exception;
        return error switch
        {
            ForwarderError.None => new(ForwardOutcome.Done),
            ForwarderError.RequestTimedOut => new(ForwardOutcome.TimedOut),
            _ when cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => new(ForwardOutcome.Unavailable),
            _ => new(ForwardOutcome.BadAnswer, $"The call failed: {error}."),
        };
    }

    private async Task FailAsync(HttpContext context, PublishedListener listener, ForwardResult result)
    {
        var failure = ForwardFailure.Of(result.Outcome);
        _failures.Note(listener, result, failure);
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return;
        // Of a half-read answer some header fields may be there already.
        context.Response.Clear();
        await IngressPage.WriteAsync(context, failure.Status, failure.Code, failure.Title, failure.Detail, failure.IsOfApp ? RetryAfter : null);
    }

    private static HttpMessageInvoker NewUpstream(TimeSpan connectTimeout) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        // What a client sends to trace its request by goes on as any other header field; nothing is added.
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = connectTimeout,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    });

    /// <summary>Browsers heed HSTS over https only (RFC 6797, 8.1), and a LAN port has no name of its own.</summary>
    private static int? HstsOf(HttpContext context, PublishedListener listener) => context.Request.IsHttps ? listener.Definition.HstsMaxAge : null;

    /// <summary>Uploads of any size at any speed; only silence in both directions ends a request.</summary>
    private static void Unlimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
    }
}
