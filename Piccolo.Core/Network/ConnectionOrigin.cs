namespace Piccolo.Core.Network;

/// <summary>Whence a connection came: the only thing that trust decisions read.</summary>
public enum ConnectionOrigin
{
    /// <summary>This machine itself.</summary>
    Loopback,

    /// <summary>A directly connected network that is not a container network.</summary>
    Lan,

    /// <summary>Any other network, on our own ports: a router forwards it.</summary>
    Forwarded,

    /// <summary>The relay.</summary>
    Tunnel,

    /// <summary>Another node of the cluster.</summary>
    Node,

    /// <summary>A container on this machine.</summary>
    Container,
}
