using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>One request to the CA and what came back, secrets masked.</summary>
/// <param name="Request">The signed payload as text; empty for POST-as-GET, null where nothing was sent.</param>
/// <param name="Status">0 where no answer came; then <paramref name="Failure"/> says why.</param>
public sealed record AcmeExchange(
    DateTimeOffset At, double Milliseconds, string Method, string Url, string? Request, int Status, string? ContentType, string? Location,
    string? RetryAfter, string? Body,
    string? Failure);

/// <summary>
/// The record of one order: keeps each exchange that happens while it is <see cref="Begin">begun</see> on the same flow of execution, bounded,
/// and without what a stranger could use: tokens, key authorizations, signatures, nonces. Thread-safe.
/// </summary>
internal sealed class AcmeTranscript
{
    public const int MaxExchanges = 60;
    public const int MaxTextBytes = 6 * 1024;

    /// <summary>Stands where a secret was; of the alphabet of tokens, so that what is recorded can be played again.</summary>
    public const string Mask = "masked";

    private static readonly AsyncLocal<AcmeTranscript?> OfThisFlow = new();
    private static readonly string[] SecretFields = ["token", "signature", "protected", "hmacKey", "keyAuthorization"];

    private readonly Lock _gate = new();
    private readonly List<AcmeExchange> _exchanges = [];
    private readonly HashSet<string> _secrets = new(StringComparer.Ordinal);

    public static AcmeTranscript? Current => OfThisFlow.Value;

    public int Dropped { get; private set; }

    public ImmutableArray<AcmeExchange> Exchanges
    {
        get
        {
            // A secret may have become known after it was first heard, for instance a token that an error had quoted.
            lock (_gate) return [.. _exchanges.Select(e => e with { Request = ApplyMask(e.Request), Body = ApplyMask(e.Body) })];
        }
    }

    public static IDisposable Begin(AcmeTranscript transcript)
    {
        OfThisFlow.Value = transcript;
        return new Ended();
    }

    /// <summary>Masks this text wherever it appears.</summary>
    public void Redact(string secret)
    {
        if (secret.Length < 8) return;
        lock (_gate) _secrets.Add(secret);
    }

    public void Add(DateTimeOffset at, TimeSpan took, HttpMethod method, Uri url, byte[]? jws, AcmeResult<AcmeAnswer> result)
    {
        var request = jws is null ? null : Payload(jws);
        var answer = result.Failure is null ? result.Value : null;
        var body = answer is null ? null : Text(answer.Body);
        lock (_gate)
        {
            if (_exchanges.Count >= MaxExchanges)
            {
                Dropped++;
                return;
            }
            _exchanges.Add(new AcmeExchange(
                at, Math.Round(took.TotalMilliseconds, 1), method.Method, url.AbsoluteUri, MaskFields(request), answer?.Status ?? 0,
                answer?.MediaType, answer?.Location?.AbsoluteUri,
                answer?.RetryAfter is { } wait ? $"{wait.TotalSeconds:0}" : null, MaskFields(body),
                result.Failure is { } failure ? $"{failure.Code}: {failure.Detail}" : null));
        }
    }

    private static string? Payload(byte[] jws)
    {
        try
        {
            using var document = JsonDocument.Parse(jws);
            return Text(System.Buffers.Text.Base64Url.DecodeFromChars(document.RootElement.GetProperty("payload").GetString()));
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string Text(byte[] bytes) =>
        bytes.Length <= MaxTextBytes ? Encoding.UTF8.GetString(bytes) : Encoding.UTF8.GetString(bytes, 0, MaxTextBytes) + "…";

    private string? MaskFields(string? text)
    {
        if (text is null || !text.Contains('{', StringComparison.Ordinal)) return text;
        try
        {
            if (JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 32 }) is not { } node) return text;
            Walk(node);
            return node.ToJsonString();
        }
        catch (JsonException)
        {
            // Truncated or not JSON: known secrets are masked when it is read.
            return text;
        }
    }

    private void Walk(JsonNode node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array.OfType<JsonNode>()) Walk(item);
        }
        if (node is not JsonObject fields) return;
        foreach (var (name, value) in fields.ToList())
        {
            if (value is JsonValue secret && SecretFields.Contains(name) && secret.TryGetValue<string>(out var text))
            {
                if (text.Length >= 8) _secrets.Add(text);
                fields[name] = Mask;
            }
            else if (value is not null)
            {
                Walk(value);
            }
        }
    }

    private string? ApplyMask(string? text) => text is null ? null : _secrets.Aggregate(text, (t, secret) => t.Replace(secret, Mask, StringComparison.Ordinal));

    private sealed class Ended : IDisposable
    {
        public void Dispose() => OfThisFlow.Value = null;
    }
}
