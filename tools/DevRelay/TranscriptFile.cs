using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay;

/// <summary>
/// A transcript as JSON lines: <c>session</c>, <c>from</c>, and of a control message all of it, of data the stream and its length, of a text the challenge or
/// that it was a token, which is never written. Thread-safe.
/// </summary>
internal sealed class TranscriptFile(string path, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _file = new(new FileStream(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.Write,
        Share = FileShare.Read,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    }))
    { AutoFlush = true };

    public void Write(TranscriptEntry entry)
    {
        var line = new JsonObject
        {
            ["at"] = time.GetUtcNow(),
            ["session"] = entry.Session,
            ["from"] = entry.FromBackend ? "backend" : "relay",
        };
        var message = entry.Message.Span;
        if (entry.IsText) line["text"] = entry.FromBackend ? "(a token)" : Encoding.UTF8.GetString(message);
        else if (NexusMessages.TryReadData(message, out var id)) (line["data"], line["length"]) = (id, message.Length - Nexus.DataHeader);
        else if (message is [Nexus.ControlKind, ..] && TryParse(message[1..]) is { } control) line["control"] = control;
        else line["unknown"] = Convert.ToHexString(message[..Math.Min(message.Length, Nexus.DataHeader)]);
        lock (_lock) _file.WriteLine(line.ToJsonString());
    }

    public void Dispose()
    {
        lock (_lock) _file.Dispose();
    }

    private static JsonNode? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
