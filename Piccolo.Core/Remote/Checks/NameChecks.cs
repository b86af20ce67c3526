using System.Collections.Immutable;
using System.Net;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Issuance;

namespace Piccolo.Core.Remote.Checks;

/// <summary>
/// What DNS must say about a name before it can be served and certified: it can be owned, leads to the relay, and lets our CA issue. Thread-safe.
/// </summary>
public sealed class NameChecks(PublicDnsResolver dns, PublicSuffixes suffixes, CaaLookup caa)
{
    public PreflightCheck Syntax(DomainName name)
    {
        if (!name.IsQualified)
        {
            return new(
                "names", "Name", name.Value, PreflightStatus.Fail, $"{name} has no dot; no certificate authority certifies it.",
                "Use a name below a domain that you own.");
        }
        return suffixes.IsPublicSuffix(name)
            ? new(
                "names", "Name", name.Value, PreflightStatus.Fail, $"{name} is a public suffix, below which names are registered; nobody owns it.",
                "Use a name below a domain that you own.")
            : new("names", "Name", name.Value, PreflightStatus.Pass, $"{name} is a registrable name; certificates can be issued for it.");
    }

    /// <param name="relay">Where the relay is, as <see cref="RelayAddressesAsync"/> found.</param>
    public async Task<PreflightCheck> DnsAsync(DomainName name, ImmutableArray<IPAddress> relay, CancellationToken cancellationToken)
    {
        var found = await dns.AddressesAsync(name, cancellationToken);
        if (found.Records.IsEmpty)
        {
            return new("dns", "DNS", name.Value, PreflightStatus.Fail, found.Failure ?? $"DNS has no address for {name}.",
                "Point the name's A and AAAA records to the relay, and wait until they have propagated. "
                + "A CNAME works too, but whoever runs its target then decides who may get a certificate for the name.");
        }
        var where = string.Join(", ", found.Records);
        if (relay.IsEmpty)
        {
            return new(
                "dns", "DNS", name.Value, PreflightStatus.Warn, $"{name} leads to {where}; the relay's own address could not be resolved.",
                "Check the host name of the relay's endpoint.");
        }
        return found.Records.Any(relay.Contains)
            ? new("dns", "DNS", name.Value, PreflightStatus.Pass, $"{name} leads to the relay ({where}).")
            : new(
                "dns", "DNS", name.Value, PreflightStatus.Warn, $"{name} leads to {where}, but the relay is at {string.Join(", ", relay)}.",
                "If the relay uses separate ingress addresses, ignore this. Otherwise fix the DNS record.");
    }

    public async Task<PreflightCheck> CaaAsync(DomainName name, CancellationToken cancellationToken)
    {
        var found = await caa.FindAsync(name, cancellationToken);
        if (found.Failure is { } failure)
            return new(
                "caa", "CAA", name.Value, PreflightStatus.Fail,
                $"The CAA records could not be read: {failure} A certificate authority refuses in that case.", "Fix the domain's DNS servers.");
        if (found.At is null)
            return new("caa", "CAA", name.Value, PreflightStatus.Pass, $"No CAA record restricts {name}: every certificate authority may issue.");
        var us = caa.Us;
        if (us.Identities.IsEmpty)
            return new(
                "caa", "CAA", name.Value, PreflightStatus.Warn,
                $"{found.At} has CAA records, but this certificate authority's CAA identifier is unknown.",
                "Set Piccolo:Remote:CaaIdentities to the authority's CAA identifier.");
        return CaaPolicy.Judge(found.Properties, us, caa.Method) switch
        {
            CaaVerdict.Refused => new("caa", "CAA", name.Value, PreflightStatus.Fail,
                $"The CAA records at {found.At} do not let this certificate authority, this account or the method {caa.Method} issue for {name}.",
                $"Let a record at {found.At} allow {us.Identities[0]}: issue, and where given accounturi and validationmethods."),
            CaaVerdict.OnlyOurAccount =>
                new("caa", "CAA", name.Value, PreflightStatus.Pass, $"The CAA records at {found.At} let only this device's account issue."),
            CaaVerdict.Anyone => new("caa", "CAA", name.Value, PreflightStatus.Pass, $"The CAA records at {found.At} restrict nobody."),
            _ => new("caa", "CAA", name.Value, PreflightStatus.Pass, $"The CAA records at {found.At} let this certificate authority issue."),
        };
    }

    /// <summary>Empty where the relay's host cannot be resolved.</summary>
    public async Task<ImmutableArray<IPAddress>> RelayAddressesAsync(string endpoint, CancellationToken cancellationToken)
    {
        var host = new Uri(endpoint).DnsSafeHost;
        if (IPAddress.TryParse(host, out var literal)) return [literal];
        // RFC 6761, 6.3: never asked for in DNS.
        if (host == "localhost") return [IPAddress.Loopback, IPAddress.IPv6Loopback];
        return DomainName.TryParse(host, out var name) ? (await dns.AddressesAsync(name, cancellationToken)).Records : [];
    }
}
