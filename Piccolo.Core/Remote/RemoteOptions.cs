using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote;

/// <summary>Configuration section <c>Piccolo:Remote</c>: how the appliance looks at itself from outside.</summary>
public sealed class RemoteOptions
{
    public const string Section = "Piccolo:Remote";

    private const string Second = "00:00:01";

    /// <summary>
    /// Who resolves the appliance's public names when it looks at itself from outside: empty asks the system's resolvers; <c>ADDRESS[:PORT]</c> is a DNS
    /// server; <c>fixed:ADDRESS</c> asks nobody. A network whose resolver answers these names with inner addresses needs a public resolver here. Default empty.
    /// </summary>
    public string ProbeResolver { get; set; } = "";

    /// <summary>Dials another port than the public one, such as <c>443 → 35443</c>, where a relay under test has no low ports. Default none.</summary>
    public IDictionary<int, int> ProbePorts { get; } = new Dictionary<int, int>();

    /// <summary>How often each public name is dialled. Default 5 minutes.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How soon a name that was not reachable is dialled again. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan ProbeRetryInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A new failure counts only if it is there again after this pause. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ProbeConfirmation { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a changed name is left alone before it is dialled, so that several changes make one probe. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ProbeDebounce { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a name that the tunnel does not serve yet is given before it is dialled all the same. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ProbeGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connection, handshake and answer of one probe may take together. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:02:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Names that are dialled at the same time. Default 4.</summary>
    [Range(1, 64)]
    public int ProbeParallelism { get; set; } = 4;

    /// <summary>How long a DNS server may take for one answer. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan DnsTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The issuer names by which the CA knows itself in CAA records. Default: known for the public CAs that are supported.</summary>
    public IList<string> CaaIdentities { get; } = [];

    /// <summary>The system's list of public suffixes; where it is missing the built-in one serves. Default Debian's.</summary>
    public string PublicSuffixFile { get; set; } = "/usr/share/publicsuffix/public_suffix_list.dat";

    /// <summary>How often an alias that is not verified yet is looked at again. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), Second, "24:00:00")]
    public TimeSpan AliasRetryInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often verified aliases and the issuance lock are looked at. Default 1 day.</summary>
    [Range(typeof(TimeSpan), Second, "7.00:00:00")]
    public TimeSpan RecordCheckInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Aliases that can exist. Default 50.</summary>
    [Range(1, 500)]
    public int MaxAliases { get; set; } = 50;

    /// <summary>Events that are kept. Default 500.</summary>
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
