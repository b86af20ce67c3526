using Piccolo.DevRelay.Protocol;
using Piccolo.DevRelay.Routing;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Hub;

internal sealed partial class Session
{
    /// <summary>Serves a user until the stream ends; owns the connection from here on.</summary>
    public async Task ServeAsync(UserConnection user, UserRoute route)
    {
        var stream = new UserStream(_options.StreamId(), user, route, _options, _faults, Replenish);
        // Stored before it is announced: a backend on the same machine may answer before this method goes on.
        _streams[stream.Id] = stream;
        await WriterTurnAsync(_teardown);
        if (_ended.IsCancellationRequested || !_lanes.TryData(NexusMessages.Control(stream.Connect(_faults.OmitCredits ? 0 : Nexus.InitialCredits))))
        {
            _counters.Add(RelayCount.UsersWithoutRoom);
            if (_streams.TryRemove(stream.Id, out _)) await stream.EndAsync(TimeSpan.Zero);
            return;
        }

        _counters.Add(RelayCount.StreamsOpened);
        _logger.StreamOpened(Id, stream.Id, route.Key);
        // The prelude right behind its connect, in the same turn; what follows is queued whoever has a processor.
        var pump = stream.PumpAsync(route.Prelude, Forward);
        // A failed write ends the stream as well as the user's end does.
        await Task.WhenAny(pump, stream.Writing);
        var cause = pump.IsCompleted ? await pump : "writing to the user failed";
        await LeaveAsync(stream, cause);
        await stream.Closed;
    }

    /// <summary>Tears down every stream after the session has ended; nothing is told to the backend.</summary>
    public Task EndStreamsAsync(TimeSpan grace)
    {
        var removed = _streams.Keys.Select(id => _streams.TryRemove(id, out var stream) ? stream : null);
        return Task.WhenAll(removed.OfType<UserStream>().Select(s => s.EndAsync(grace)));
    }

    private async ValueTask WriterTurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _lanes.WriterTurnAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The session or the stream has ended, which whoever asked finds out next.
        }
    }

    private bool Forward(UserStream stream, ReadOnlyMemory<byte> payload)
    {
        if (!_streams.ContainsKey(stream.Id)) return false;
        if (_lanes.TryData(NexusMessages.Data(stream.Id, payload.Span))) return true;
        _counters.Add(RelayCount.StreamsWithoutRoom);
        return false;
    }

    private bool Replenish(UserStream stream, long credits) =>
        !_streams.ContainsKey(stream.Id)
        || _faults.DropReplenish
        || (!_faults.HoldReplenish && _lanes.TryControl(NexusMessages.Control(new ControlMessage("resume_stream", stream.Id) { Credits = credits })));

    /// <summary>Ends a stream from this side: the user gets what is buffered, the backend is told after all queued data, without a reason.</summary>
    private async Task LeaveAsync(UserStream stream, string cause)
    {
        if (!_streams.TryRemove(stream.Id, out _)) return;
        _logger.StreamEnded(Id, stream.Id, cause);
        await stream.EndAsync(TimeSpan.Zero);
        var disconnect = NexusMessages.Control(new ControlMessage("disconnect", stream.Id));
        if (!_faults.LoseDisconnects && _lanes.TryData(disconnect))
        {
            if (_faults.RepeatDisconnects) _lanes.TryData(disconnect);
            return;
        }

        _counters.Add(RelayCount.DisconnectsLost);
        _logger.DisconnectLost(Id, stream.Id);
    }

    private void Dispatch(ReadOnlyMemory<byte> message)
    {
        if (message.Length == 0) return;
        switch (message.Span[0])
        {
            case Nexus.DataKind:
                Deliver(message);
                break;
            case Nexus.ControlKind when ControlMessage.Parse(message[1..]) is { } control:
                Obey(control);
                break;
            default:
                _logger.MessageIgnored(Id, message.Length);
                break;
        }
    }

    private void Deliver(ReadOnlyMemory<byte> message)
    {
        if (!NexusMessages.TryReadData(message.Span, out var id))
        {
            _logger.MessageIgnored(Id, message.Length);
            return;
        }

        if (!_streams.TryGetValue(id, out var stream)) return;
        if (stream.Reverse.TryAdd(message[Nexus.DataHeader..].ToArray())) return;
        _counters.Add(RelayCount.StreamsOverflowed);
        _ = LeaveAsync(stream, "more than 128 messages wait for the user");
    }

    private void Obey(ControlMessage control)
    {
        var stream = _streams.GetValueOrDefault(control.ClientId);
        switch (control.Event)
        {
            case "disconnect" when stream is not null && _streams.TryRemove(stream.Id, out _):
                _logger.StreamEnded(Id, stream.Id, "the backend disconnected");
                _ = stream.EndAsync(_options.Clocks.HalfCloseGrace, _teardown);
                break;
            case "ping_client" when stream is not null && !_faults.AnswerNoQuestion:
                _lanes.TryControl(NexusMessages.Control(new ControlMessage("pong_client", stream.Id)));
                break;
            case "pause_stream" when stream is not null:
                stream.Gate.Pause();
                break;
            case "resume_stream" when stream is not null:
                stream.Forward.Grant(control.Credits);
                stream.Gate.Resume();
                break;
            case "outbound_connect":
                _lanes.TryControl(NexusMessages.Control(new ControlMessage("outbound_result", control.ClientId)
                {
                    Reason = "outbound connections disabled on this proxy",
                }));
                break;
        }
    }
}
