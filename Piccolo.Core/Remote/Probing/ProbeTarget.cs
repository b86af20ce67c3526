using Piccolo.Core.Listeners;
using Piccolo.Core.Routing;

namespace Piccolo.Core.Remote.Probing;

/// <summary>What can be asked of a name from outside.</summary>
internal enum ProbeKind
{
    /// <summary>TLS ends here and requests follow: the key is compared and one request is sent.</summary>
    Request,

    /// <summary>TLS ends here and bytes follow that belong to the app: the key is compared, nothing is sent.</summary>
    Handshake,

    /// <summary>TLS ends in the app: its key is compared with what it serves on its guard port, nothing is sent.</summary>
    PassThrough,

    /// <summary>Another node leads the app, and looks for itself.</summary>
    Elsewhere,

    /// <summary>No port of the name speaks TLS.</summary>
    ClearText,
}

/// <summary>A public name and how it is dialled.</summary>
/// <param name="GuardPort">Of the app, for <see cref="ProbeKind.PassThrough"/>.</param>
internal sealed record ProbeTarget(string Name, ProbeKind Kind, int Port, int GuardPort)
{
    public static ProbeTarget Of(Route route)
    {
        // As a redirect does: 443 if the name answers there, else the first port that speaks TLS.
        var port = route.Ports.Contains(ListenerDefinition.HttpsPort)
            ? ListenerDefinition.HttpsPort
            : route.Ports.FirstOrDefault(p => p != ListenerDefinition.HttpPort);
        return route switch
        {
            Route.Leader => new ProbeTarget(route.Host.Value, ProbeKind.Elsewhere, port, 0),
            _ when port == 0 => new ProbeTarget(route.Host.Value, ProbeKind.ClearText, 0, 0),
            Route.App { Listener: { Definition.Flow: ListenerFlow.Tls } listener } =>
                new ProbeTarget(route.Host.Value, ProbeKind.PassThrough, port, listener.GuardPort),
            Route.App { Listener.Definition.IsHttp: false } => new ProbeTarget(route.Host.Value, ProbeKind.Handshake, port, 0),
            _ => new ProbeTarget(route.Host.Value, ProbeKind.Request, port, 0),
        };
    }
}
