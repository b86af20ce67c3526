using System.Globalization;
using System.Text;

namespace Piccolo.DevRelay;

/// <summary>What a relay counts since its start. Thread-safe.</summary>
internal enum RelayCount
{
    SessionsAccepted,
    SessionsRefused,
    StreamsOpened,

    /// <summary>Users closed because nobody serves the name.</summary>
    UsersWithoutBackend,

    /// <summary>Users closed because their first bytes named nobody, or too many were being peeked at.</summary>
    UsersNotUnderstood,

    /// <summary>Users closed because the session's lane was full when they came.</summary>
    UsersWithoutRoom,

    /// <summary>Streams ended because more than 128 messages waited for the user.</summary>
    StreamsOverflowed,

    /// <summary>Streams ended because the session's lane was full when the user sent more.</summary>
    StreamsWithoutRoom,

    /// <summary>Close frames of backends with another code than 1001, which the stock relay logs as errors.</summary>
    ClosesUnexpected,

    /// <summary>Ends of streams of which the backend was not told, because the lane was full.</summary>
    DisconnectsLost,
    MessagesToBackend,
    MessagesFromBackend,
    BytesToBackend,
    BytesFromBackend,
}

/// <inheritdoc cref="RelayCount"/>
internal sealed class RelayCounters
{
    private readonly long[] _values = new long[Enum.GetValues<RelayCount>().Length];

    public long this[RelayCount count] => Interlocked.Read(ref _values[(int)count]);

    public void Add(RelayCount count, long value = 1) => Interlocked.Add(ref _values[(int)count], value);

    /// <summary>The Prometheus text format.</summary>
    public string Write(IReadOnlyList<SessionSnapshot> sessions)
    {
        var text = new StringBuilder();
        Append("devrelay_sessions", "gauge", sessions.Count);
        Append("devrelay_streams", "gauge", sessions.Sum(s => s.Streams.Count));
        Append("devrelay_messages_waiting_for_users", "gauge", sessions.Sum(s => s.Streams.Sum(stream => stream.Buffered)));
        foreach (var count in Enum.GetValues<RelayCount>())
            Append($"devrelay_{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(count.ToString())}_total", "counter", this[count]);
        return text.ToString();

        void Append(string name, string type, long value) => text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n{name} {value}\n");
    }
}
