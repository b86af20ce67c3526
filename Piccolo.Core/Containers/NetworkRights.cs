using System.Text.Json.Serialization;

namespace Piccolo.Core.Containers;

/// <summary>What a service may reach outside of its app's own network. Default: nothing.</summary>
/// <param name="Internet">Every address that is neither private nor this device's own network.</param>
/// <param name="LocalNetwork">Private addresses, and the networks that this device is on.</param>
/// <param name="Dns">The name servers of this device.</param>
public readonly record struct NetworkRights(bool Internet, bool LocalNetwork, bool Dns)
{
    private const string InternetWord = "internet";
    private const string LocalNetworkWord = "local_network";
    private const string DnsWord = "dns";

    public static readonly NetworkRights All = new(true, true, true);

    [JsonIgnore]
    public bool Any => Internet || LocalNetwork || Dns;

    /// <summary>The rights by their names in the manifest.</summary>
    [JsonIgnore]
    public IEnumerable<string> Words
    {
        get
        {
            if (Internet) yield return InternetWord;
            if (LocalNetwork) yield return LocalNetworkWord;
            if (Dns) yield return DnsWord;
        }
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; other words give no right.</summary>
    public static NetworkRights Parse(string words)
    {
        var given = words.Split(' ');
        return new(given.Contains(InternetWord), given.Contains(LocalNetworkWord), given.Contains(DnsWord));
    }

    public override string ToString() => string.Join(' ', Words);
}
