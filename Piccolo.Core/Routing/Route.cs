using System.Collections.Immutable;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Routing;

/// <summary>Where a public name leads. Immutable; built by the remote plan only.</summary>
public abstract record Route(DomainName Host)
{
    /// <summary>The appliance's own portal and API.</summary>
    public sealed record Portal(DomainName Host) : Route(Host);

    /// <summary>An app's listener that runs on this node.</summary>
    public sealed record App(DomainName Host, PublishedListener Listener) : Route(Host);

    /// <summary>An app's listener that another node leads: bytes go there untouched.</summary>
    /// <param name="LeaderOrigin">Null while nobody knows who leads.</param>
    public sealed record Leader(DomainName Host, PublishedListener Listener, Uri? LeaderOrigin) : Route(Host);

    /// <summary>The ports of the relay, or of a forwarding router, at which the name answers.</summary>
    public ImmutableArray<int> Ports => this switch
    {
        App app => app.Listener.Definition.RemotePorts,
        Leader leader => leader.Listener.Definition.RemotePorts,
        _ => ListenerDefinition.DefaultRemotePorts,
    };
}
