using Microsoft.Extensions.Logging;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>What all sessions of a tunnel share.</summary>
/// <param name="Offer">Hands a stream to whoever accepts; false when too many wait already.</param>
/// <param name="Changed">Called when a session learned something that the status shows.</param>
internal sealed record SessionScope(
    TunnelOptions Options,
    TimeProvider Time,
    ILogger Logger,
    AddressLimit Addresses,
    TunnelTraffic Traffic,
    TunnelHistory History,
    Func<TunnelStream, bool> Offer,
    Action Changed);
