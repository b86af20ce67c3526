using System.IO.Pipelines;
using System.Net;

namespace Piccolo.Core.Tunnel;

/// <summary>
/// One user's connection that the relay carries to us. <see cref="IDuplexPipe.Input"/> yields what the user sends, <see cref="IDuplexPipe.Output"/> takes what
/// the user gets. Whoever accepts it disposes it: what was written is delivered (as far as the relay takes it) before the stream is closed.
/// </summary>
public interface ITunnelStream : IDuplexPipe, IAsyncDisposable
{
    /// <summary>For logs: session and stream.</summary>
    string Id { get; }

    /// <summary>The name by which the relay chose us, normalised. The relay's word: never a trust decision.</summary>
    string Hostname { get; }

    /// <summary>The relay's public port at which the user connected.</summary>
    int Port { get; }

    /// <summary>Whether the relay saw a ClientHello. A hint only.</summary>
    bool IsTls { get; }

    /// <summary>The user's address as the relay tells it; null when it told none that can be true (loopback, private, malformed).</summary>
    IPEndPoint? Client { get; }

    /// <summary>Fires when the user, the relay or the session has gone.</summary>
    CancellationToken Closed { get; }

    /// <summary>Ends the stream at once, without delivering what is still queued.</summary>
    void Abort();
}

/// <summary>Where streams come from, session after session.</summary>
public interface ITunnelStreamSource
{
    /// <summary>Waits for the next stream.</summary>
    /// <returns>Null once no more will come.</returns>
    ValueTask<ITunnelStream?> AcceptAsync(CancellationToken cancellationToken);
}
