using System.Globalization;
using Microsoft.AspNetCore.Http.Extensions;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Responses;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Piccolo.Core.Routing;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Dispatch;

/// <summary>
/// Decides what a request is for: an app, the portal, or nobody. Only what it lets on reaches API and portal; a request whose connection is unknown to the
/// front door never does.
/// </summary>
internal sealed class HostDispatchMiddleware(
    RequestDelegate next, RouteTableHolder routes, ServerCertificateTable certificates, HostAllowList allowedHosts,
    AppForwarder forwarder, AppConnectionQuota quota,
    ListenerTraffic traffic, AccessLog accessLog, ILogger<HostDispatchMiddleware> logger)
{
    private static readonly TimeSpan CertificateRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan BusyRetry = TimeSpan.FromSeconds(5);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<IConnectionOriginFeature>() is not { } origin) return MisdirectedAsync(context, ConnectionOrigin.Forwarded);
        var host = RequestHost.NameOf(context.Request);
        if (origin.LanListener is { } listener)
            return allowedHosts.ContainsOnLanPorts(host) || IsNameOf(host, listener) ? AppAsync(context, listener) : MisdirectedAsync(context, origin.Origin);
        return context.Features.Get<TlsRouteFeature>() is { } tls ? OnTlsAsync(context, tls, host, origin) : OnPlainAsync(context, host, origin);
    }

    private bool IsNameOf(string host, PublishedListener listener) => routes.Current.Find(host) is Route.App app && app.Listener.Name == listener.Name;

    private Task OnTlsAsync(HttpContext context, TlsRouteFeature tls, string host, IConnectionOriginFeature origin)
    {
        if (tls.Route is null) return OnDeviceAsync(context, host, origin);
        // A connection may only ask for the name of its handshake: another one may have other rules, even under the same certificate (RFC 9110, 7.4).
        if (host != tls.ServerName) return MisdirectedAsync(context, origin.Origin);
        // A long-lived connection follows the table: the app may have moved to another node since, or be gone.
        return routes.Current.Find(host) switch
        {
            Route.App { Listener.Definition.IsHttp: true } app => AppAsync(context, app.Listener),
            Route.Portal => PortalAsync(context, origin),
            _ => MisdirectedAsync(context, origin.Origin),
        };
    }

    /// <summary>Under the device's own certificate: the portal, by the names that it has on the LAN. Open to all networks, as port 443 is.</summary>
    private Task OnDeviceAsync(HttpContext context, string host, IConnectionOriginFeature origin) =>
        allowedHosts.Contains(host) ? PortalAsync(context, origin) : MisdirectedAsync(context, origin.Origin);

    private Task OnPlainAsync(HttpContext context, string host, IConnectionOriginFeature origin)
    {
        var route = routes.Current.Find(host);
        var hasCertificate = route is not null && certificates.Find(host) is not null;
        return PlainHttpDecision.Decide(route, hasCertificate, allowedHosts.Contains(host), origin) switch
        {
            PlainHttpResponse.Portal => PortalAsync(context, origin),
            PlainHttpResponse.Redirect => Redirect(context, route!, host),
            PlainHttpResponse.NotReady => IngressPage.WriteAsync(
                context, StatusCodes.Status503ServiceUnavailable, "certificate_pending", "Almost ready",
                "The certificate for this name is being ordered. Try again shortly.", CertificateRetry),
            PlainHttpResponse.NotServed => NotServedAsync(context),
            PlainHttpResponse.NetworkRefused => NetworkRefusedAsync(context, origin.Origin),
            _ => MisdirectedAsync(context, origin.Origin),
        };
    }

    private Task PortalAsync(HttpContext context, IConnectionOriginFeature origin)
    {
        if (origin.Origin == ConnectionOrigin.Container) return NetworkRefusedAsync(context, origin.Origin);
        return ServePortalAsync(context);
    }

    private async Task AppAsync(HttpContext context, PublishedListener listener)
    {
        var begun = accessLog.ForApps ? accessLog.Begin() : 0;
        if (quota.TryEnter())
        {
            try
            {
                await forwarder.ForwardAsync(context, listener);
            }
            finally
            {
                quota.Leave();
            }
        }
        else
        {
            await IngressPage.WriteAsync(
                context, StatusCodes.Status503ServiceUnavailable, "busy", "Too many requests",
                    "The appliance has as many requests to apps under way as it can hold.", BusyRetry);
        }
        traffic.Of(listener.Name).Answered(context.Response.StatusCode);
        if (accessLog.ForApps) accessLog.Write(context, listener.Name, begun);
    }

    private async Task ServePortalAsync(HttpContext context)
    {
        var begun = accessLog.ForPortal ? accessLog.Begin() : 0;
        // The connection began as an app's, whose name is the portal's now.
        if (SocketLoop.Current is not null)
        {
            context.Features.Get<ILoopSocketFeature>()?.ResumesOnLoop = false;
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        await next(context);
        traffic.Of(ListenerTraffic.Portal).Answered(context.Response.StatusCode);
        if (accessLog.ForPortal) accessLog.Write(context, ListenerTraffic.Portal, begun);
    }

    private static Task Redirect(HttpContext context, Route route, string host)
    {
        var port = PlainHttpDecision.HttpsPortOf(route);
        var authority = port == ListenerDefinition.HttpsPort
            ? host
            : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = $"https://{authority}{context.Request.GetEncodedPathAndQuery()}";
        return Task.CompletedTask;
    }

    private static Task NotServedAsync(HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        return IngressPage.WriteProblemAsync(context, StatusCodes.Status404NotFound, "not_served_here", "Not found",
            "This name does not answer in clear text.");
    }

    private Task NetworkRefusedAsync(HttpContext context, ConnectionOrigin origin)
    {
        logger.RequestRefused("network_not_allowed", RequestHost.NameOf(context.Request), origin);
        return IngressPage.WriteProblemAsync(
            context, StatusCodes.Status403Forbidden, "network_not_allowed", "Network not allowed", "The portal does not answer this network.");
    }

    private Task MisdirectedAsync(HttpContext context, ConnectionOrigin origin)
    {
        logger.RequestRefused("misdirected_request", RequestHost.NameOf(context.Request), origin);
        return IngressPage.WriteProblemAsync(
            context, StatusCodes.Status421MisdirectedRequest, "misdirected_request", "Misdirected request",
            "Nothing here answers to this host name on this connection.");
    }
}
