using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote;

/// <summary>Configuration section <c>Piccolo:Remote</c>: how the device checks its names from outside.</summary>
public sealed class RemoteOptions
{
    public const string Section = "Piccolo:Remote";

    private const string Second = "00:00:01";

    /// <summary>
    /// DNS server used for the outside reachability check: <c>ADDRESS[:PORT]</c>, <c>fixed:ADDRESS</c> for no DNS at all, or empty for the system's resolvers.
    /// Set a public resolver where this network's DNS answers these names with inner addresses.
    /// </summary>
    public string ProbeResolver { get; set; } = "";

    /// <summary>Dials another port than the public one, such as <c>443 → 35443</c>, where a relay under test has no low ports.</summary>
    public IDictionary<int, int> ProbePorts { get; } = new Dictionary<int, int>();

    /// <summary>How often each public name is dialled.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How soon a name that was not reachable is dialled again.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan ProbeRetryInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A new failure is reported only if a second check after this pause fails too.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ProbeConfirmation { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long to wait after a change of a name before it is dialled, so that several changes make one check.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ProbeDebounce { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a name that the tunnel does not serve yet may wait before it is dialled anyway.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ProbeGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connection, handshake and answer of one check may take together.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:02:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Names that are dialled at the same time.</summary>
    [Range(1, 64)]
    public int ProbeParallelism { get; set; } = 4;

    /// <summary>How long a DNS server may take for one answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan DnsTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Issuer names that the certificate authority accepts in CAA records. Empty: known for Let's Encrypt, ZeroSSL and Google.</summary>
    public IList<string> CaaIdentities { get; } = [];

    /// <summary>The system's public suffix list. Where the file is missing, a built-in list is used.</summary>
    public string PublicSuffixFile { get; set; } = "/usr/share/publicsuffix/public_suffix_list.dat";

    /// <summary>How often an alias that is not verified yet is checked again.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan AliasRetryInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the DNS records of verified aliases and of the issuance lock are checked.</summary>
    [Range(typeof(TimeSpan), Second, "7.00:00:00")]
    public TimeSpan RecordCheckInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Aliases that can exist.</summary>
    [Range(1, 500)]
    public int MaxAliases { get; set; } = 50;

    /// <summary>Remote events that are kept.</summary>
    [Range(10, 10_000)]
    public int EventsKept { get; set; } = 500;
}

internal sealed class RemoteOptionsValidator : IValidateOptions<RemoteOptions>
{
    public ValidateOptionsResult Validate(string? name, RemoteOptions options)
    {
        if (!ResolverChoice.TryParse(options.ProbeResolver, out _))
            return ValidateOptionsResult.Fail("Piccolo:Remote:ProbeResolver must be empty, ADDRESS[:PORT], or fixed:ADDRESS.");
        return options.ProbePorts.Any(p => p.Key is < 1 or > 65_535 || p.Value is < 1 or > 65_535)
            ? ValidateOptionsResult.Fail("Piccolo:Remote:ProbePorts must map ports to ports.")
            : ValidateOptionsResult.Success;
    }
}
