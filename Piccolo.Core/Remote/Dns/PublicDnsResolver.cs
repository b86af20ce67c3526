using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote.Dns;

/// <summary>What DNS said. Either an answer, which may be empty, or why there is none.</summary>
/// <param name="Failure">One sentence; null when DNS answered.</param>
/// <param name="NoSuchName">DNS says that the name does not exist.</param>
public sealed record DnsAnswer<T>(ImmutableArray<T> Records, string? Failure = null, bool NoSuchName = false)
{
    /// <summary>The names to which CNAME records led from the one that was asked for, in their order; not empty where it is an alias.</summary>
    public ImmutableArray<DomainName> Targets { get; init; } = [];
}

/// <summary>One CAA property (RFC 8659, 4.1).</summary>
public sealed record CaaProperty(byte Flags, string Tag, string Value)
{
    /// <summary>A CA that does not understand the tag must refuse (RFC 8659, 4.1).</summary>
    public bool IsCritical => (Flags & 128) != 0;
}

/// <summary>
/// Resolves public names as a stranger would: nothing from the hosts file, nothing from a cache, of this process at least. Thread-safe.
/// </summary>
public sealed class PublicDnsResolver(IOptions<RemoteOptions> options)
{
    /// <summary>More addresses than any name of ours needs; a longer answer is cut.</summary>
    public const int MaxRecords = 16;

    private readonly ResolverChoice _choice = ResolverChoice.TryParse(options.Value.ProbeResolver, out var choice)
        ? choice
        : new ResolverChoice.SystemResolver();

    /// <summary>Whether the answer may come from a resolver of this network, which can see names otherwise than strangers do.</summary>
    public bool MayBeInsideView => _choice is ResolverChoice.SystemResolver;

    /// <summary>IPv4 first.</summary>
    public async Task<DnsAnswer<IPAddress>> AddressesAsync(DomainName name, CancellationToken cancellationToken)
    {
        if (_choice is ResolverChoice.Fixed { Address: var address }) return new DnsAnswer<IPAddress>([address]);
        var answers = await Task.WhenAll(
            AskAsync<AddressRecord, IPAddress>(name, QueryType.A, r => r.Address, cancellationToken),
            AskAsync<AddressRecord, IPAddress>(name, QueryType.AAAA, r => r.Address, cancellationToken));
        ImmutableArray<IPAddress> found = [.. answers.SelectMany(a => a.Records).Distinct().Take(MaxRecords)];
        // One family may fail as long as the other is answered: nobody needs both.
        return found.IsEmpty ? answers.FirstOrDefault(a => a.Failure is not null) ?? answers[0] : new DnsAnswer<IPAddress>(found);
    }

    /// <summary>The CAA properties at exactly this name, or at the one that it is an alias of.</summary>
    public async Task<DnsAnswer<CaaProperty>> CaaAsync(DomainName name, CancellationToken cancellationToken) =>
        _choice is ResolverChoice.Fixed
            ? new DnsAnswer<CaaProperty>([], "No DNS server is asked (Piccolo:Remote:ProbeResolver).")
            : await AskAsync<CaaRecord, CaaProperty>(name, QueryType.CAA, r => new CaaProperty(r.Flags, r.Tag.ToLowerInvariant(), r.Value), cancellationToken);

    private async Task<DnsAnswer<T>> AskAsync<TRecord, T>(
        DomainName name, QueryType type, Func<TRecord, T> take, CancellationToken cancellationToken) where TRecord : DnsResourceRecord
    {
        try
        {
            var response = await Client().QueryAsync(name.Value + ".", type, cancellationToken: cancellationToken);
            return response.Header.ResponseCode switch
            {
                DnsHeaderResponseCode.NoError =>
                    new DnsAnswer<T>([.. response.Answers.OfType<TRecord>().Take(MaxRecords).Select(take)]) { Targets = TargetsIn(response) },
                DnsHeaderResponseCode.NotExistentDomain =>
                    new DnsAnswer<T>([], $"DNS knows no name {name}.", NoSuchName: true) { Targets = TargetsIn(response) },
                var code => new DnsAnswer<T>([], $"DNS answered {code} for {name}."),
            };
        }
        catch (Exception e) when (e is DnsResponseException or SocketException or InvalidOperationException or ArgumentException)
        {
            // InvalidOperationException: no network and so no resolver. ArgumentException: an answer that cannot be parsed.
            cancellationToken.ThrowIfCancellationRequested();
            return new DnsAnswer<T>(
                [],
                e is DnsResponseException { Code: DnsResponseCode.ConnectionTimeout }
                    ? $"No DNS server answered for {name} in time."
                    : $"No DNS server could be asked for {name}.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DnsAnswer<T>([], $"No DNS server answered for {name} in time.");
        }
    }

    private static ImmutableArray<DomainName> TargetsIn(IDnsQueryResponse response) =>
    [
        .. response.Answers.OfType<CNameRecord>().Take(MaxRecords)
            .Select(r => DomainName.TryParse(r.CanonicalName.Value, out var target) ? target : null).OfType<DomainName>(),
    ];

    /// <summary>Recreated each time: the system's resolvers change with the network.</summary>
    private LookupClient Client()
    {
        var settings = _choice is ResolverChoice.Server { EndPoint: var server } ? new LookupClientOptions(server) : new LookupClientOptions();
        settings.Timeout = options.Value.DnsTimeout;
        settings.Retries = 1;
        settings.UseCache = false;
        settings.ThrowDnsErrors = false;
        // An error of one server is the answer; with one server there is nobody else to ask.
        settings.ContinueOnDnsError = _choice is ResolverChoice.SystemResolver;
        return new LookupClient(settings);
    }
}
