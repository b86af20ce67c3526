using System.Net;
using System.Net.Sockets;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Audit;

/// <summary>Keeps what clients sent from filling the log, or from breaking whatever shows it.</summary>
internal static class AuditText
{
    public const int MaxDetails = 16;
    public const int MaxChars = 256;

    // A last fence: what is called like this belongs in no log, whatever the caller thought.
    private static readonly string[] SecretWords = ["password", "secret", "words", "private", "key", "bearer", "cookie"];

    public static AuditEvent Bound(AuditEvent @event) => @event with
    {
        Kind = Bound(@event.Kind),
        Actor = Bound(@event.Actor),
        Origin = Bound(@event.Origin),
        Address = @event.Address is { } address ? Bound(address) : null,
        Detail = @event.Detail.Take(MaxDetails).ToDictionary(d => Bound(d.Key), d => IsSecret(d.Key) ? "(withheld)" : Bound(d.Value), StringComparer.Ordinal),
    };

    /// <summary>The network that one subscriber has at least: <c>192.0.2.0/24</c> or <c>2001:db8::/64</c>. Null when the address is not known.</summary>
    public static string? NetworkOf(string? address)
    {
        if (!IPAddress.TryParse(address, out var parsed)) return null;
        var subscriber = SubscriberAddress.Of(parsed);
        if (subscriber.AddressFamily != AddressFamily.InterNetwork) return $"{subscriber}/64";
        var bytes = subscriber.GetAddressBytes();
        bytes[^1] = 0;
        return $"{new IPAddress(bytes)}/24";
    }

    private static bool IsSecret(string name) => SecretWords.Any(w => name.Contains(w, StringComparison.OrdinalIgnoreCase));

    private static string Bound(string text)
    {
        var cut = text.Length <= MaxChars ? text : text[..MaxChars];
        // Half a surrogate pair comes out of the enumeration as the replacement character already.
        return string.Concat(cut.EnumerateRunes().Select(r => Rune.IsControl(r) ? Rune.ReplacementChar : r));
    }
}
