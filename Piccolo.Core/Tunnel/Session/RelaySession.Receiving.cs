using System.Net.WebSockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// What the relay sends: read one message after the other, answered through the writer, never waited for. Nothing in it can end more than it should.
/// </summary>
internal sealed partial class RelaySession
{
    private async Task<TunnelFailure> ReceiveAsync(RelaySocket socket)
    {
        try
        {
            while (true)
            {
                var message = await socket.ReceiveAsync(CancellationToken.None);
                switch (message.Kind)
                {
                    case RelayMessageKind.Binary:
                        OnBinary(message.Body.Span);
                        break;
                    case RelayMessageKind.Text:
                        OnText(message.Body.Span);
                        break;
                    case RelayMessageKind.TooLarge:
                        Writer.PostClose(WebSocketCloseStatus.MessageTooBig);
                        await socket.DiscardAsync();
                        return TunnelFailure.TooLarge;
                    default:
                        EndedByRelay = message.EndedByRelay && _verdict is null;
                        _closeReason = message.HasCloseFrame ? message.Detail : null;
                        return _closeReason?.StartsWith("1008", StringComparison.Ordinal) == true
                            ? TunnelFailure.RefusedBecause(_closeReason)
                            : TunnelFailure.Lost(message.Detail);
                }
            }
        }
        catch (Exception unexpected)
        {
            // The connection's edge: a mistake of ours costs this session, not the tunnel.
            scope.Logger.SessionFailed(unexpected, Number);
            return TunnelFailure.Lost("an internal error");
        }
    }

    private void OnText(ReadOnlySpan<byte> text)
    {
        var challenge = NexusFrameCodec.ReadChallenge(text);
        if (challenge?.Type != ChallengeMessage.Reauthentication || !NexusHandshake.IsNonce(challenge.Nonce)) return;
        scope.Logger.Reauthenticating(Number);
        Writer.PostReauthentication(challenge.Nonce!);
    }

    private void OnBinary(ReadOnlySpan<byte> message)
    {
        switch (NexusFrameCodec.Classify(message))
        {
            case NexusFrameKind.Data:
                OnData(NexusFrameCodec.ReadDataId(message), NexusFrameCodec.ReadDataPayload(message));
                break;
            case NexusFrameKind.Control when NexusFrameCodec.ReadControl(message) is { } control:
                OnControl(control);
                break;
        }
    }

    private void OnData(StreamId id, ReadOnlySpan<byte> payload)
    {
        if (!_streams.TryGetValue(id, out var stream))
        {
            Writer.PostCourtesy(ControlMessage.Disconnect(id, DisconnectReason.Unknown));
            return;
        }
        scope.Traffic.AddIn(payload.Length);
        if (stream.OnData(payload)) return;
        scope.Logger.StreamOverflowed(stream.Id);
        stream.Stop(DisconnectReason.BufferFull);
    }

    private void OnControl(ControlMessage control)
    {
        switch (control.Event)
        {
            case ControlEvent.Connect:
                // Only a registered session is given users.
                _acknowledged.TrySetResult();
                OnConnect(control);
                break;
            case ControlEvent.Disconnect when _streams.TryGetValue(control.ClientId, out var stream):
                if (!Remove(stream)) break;
                stream.OnRelayClosed();
                Writer.PostCourtesy(ControlMessage.Disconnect(control.ClientId, DisconnectReason.Normal));
                break;
            case ControlEvent.ResumeStream when _streams.TryGetValue(control.ClientId, out var stream):
                stream.OnCredits(control.Credits ?? 0);
                break;
            case ControlEvent.PongClient when _streams.TryGetValue(control.ClientId, out var stream):
                OnStreamPong(stream);
                break;
            case ControlEvent.OutboundResult when _probe is { } probe && control.ClientId == probe.Id:
                OnProbeAnswered(control, probe);
                break;
        }
    }

    private void OnConnect(ControlMessage control)
    {
        if (control.ClientId.IsZero) return;
        // No relay reuses a living id. If one does, the earlier stream is dead to it, and naming the id in a disconnect would kill the new one.
        if (_streams.TryGetValue(control.ClientId, out var earlier) && Remove(earlier)) earlier.Stop(DisconnectReason.Unknown);

        var client = ClientAddress.Parse(control.ClientIp, scope.Options.AllowPrivateClientAddresses);
        if ((Refusal(control, out var hostname) ?? Enter(client)) is { } refusal)
        {
            scope.Logger.StreamRefused(Number, control.ClientId, refusal);
            scope.History.StreamRefused(refusal);
            Writer.PostCourtesy(ControlMessage.Disconnect(control.ClientId, DisconnectReason.DialFailed));
            return;
        }
        var head = new StreamHead(control.ClientId, hostname, control.ConnPort ?? 0, control.IsTls ?? false, client, control.Credits ?? 0);
        var stream = new TunnelStream(this, head);
        _streams[head.Id] = stream;
        Interlocked.Increment(ref _streamCount);
        Interlocked.Increment(ref _acceptedStreams);
        Require(Writer.Post(ControlMessage.Grant(head.Id, ForwardLedger.First)));
        PingNewStream(stream);
        scope.History.StreamAccepted();
        if (scope.Offer(stream)) return;
        scope.Logger.StreamRefused(Number, control.ClientId, "accept_backlog");
        scope.History.StreamRefused("accept_backlog");
        stream.Stop(DisconnectReason.DialFailed);
    }

    /// <returns>Why the user is not let in, or null.</returns>
    private string? Refusal(ControlMessage control, out string hostname)
    {
        hostname = DomainName.TryParse(control.Hostname, out var name) ? name.Value : "";
        if (control.Transport == "udp") return "transport";
        // Whatever the relay asks, only names that we claimed are served.
        return Volatile.Read(ref _served).Contains(hostname) ? null : "hostname";
    }
}
