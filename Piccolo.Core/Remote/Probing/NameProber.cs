using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote.Probing;

/// <summary>
/// Looks at one of our names as a stranger does: resolves it, dials what DNS says, compares the key that is shown there with the one that this device
/// holds, and has one question answered. The key proves who answers; until it is proved nothing is sent. Thread-safe.
/// </summary>
internal sealed class NameProber(
    IOptions<RemoteOptions> options, PublicDnsResolver dns, ServerCertificateTable certificates, ProbeNonces nonces, TimeProvider time)
{
    /// <summary>Addresses of one name that are dialled.</summary>
    private const int MaxAddresses = 4;

    private const string RelayReads = "Whoever answers there can read this name's traffic. "
        + "Check where the name's DNS record points; if it points to the relay, the relay ends TLS: do not use it.";

    public async Task<Observation> ProbeAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        switch (target.Kind)
        {
            case ProbeKind.Elsewhere:
                return new Observation(ReachResult.Unknown, "Another node leads this app; that node looks whether the name is reachable.");
            case ProbeKind.ClearText:
                return new Observation(ReachResult.Unknown, "No port of this name speaks TLS, so that nobody can tell who answers.");
        }
        var (expected, unknown) = await ExpectAsync(target, cancellationToken);
        if (expected is null) return unknown!;
        var addresses = await dns.AddressesAsync(DomainName.Parse(target.Name), cancellationToken);
        if (addresses.Records.IsEmpty)
        {
            return new Observation(ReachResult.Dns, addresses.Failure ?? $"DNS has no address for {target.Name}.",
                "Let the name's DNS record (A, AAAA or CNAME) lead to the relay, and wait until it has spread.");
        }
        if (dns.MayBeInsideView && !addresses.Records.Any(PublicAddress.Is))
        {
            return new Observation(
                ReachResult.Unknown,
                $"This network's DNS answers {target.Name} with the inner address {addresses.Records[0]}; what strangers find cannot be seen from here.",
                "Set Piccolo:Remote:ProbeResolver to a DNS server outside this network.");
        }
        return Sum(await Task.WhenAll(addresses.Records.Take(MaxAddresses).Select(a => ProbeAddressAsync(target, a, expected, cancellationToken))));
    }

    /// <summary>One lying address is enough to be lied to; one that works is enough to be reached.</summary>
    private static Observation Sum(Observation[] looks) =>
        looks.FirstOrDefault(l => l.Result == ReachResult.WrongKey) ?? looks.FirstOrDefault(l => l.Result == ReachResult.Reachable) ?? looks[0];

    /// <summary>Which key must be shown; null with the reason why there is nothing to compare with.</summary>
    private async Task<(Func<ShownKey, bool>? Accepts, Observation? Unknown)> ExpectAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        if (target.Kind != ProbeKind.PassThrough)
        {
            if (HeldKey(target.Name) is not { } held)
                return (null, new Observation(ReachResult.Unknown, "No certificate is held for this name yet, so that there is no key to compare with."));
            // Asked again at the handshake: the certificate may be renewed between the two.
            return (shown => shown.Key == held || shown.Key == HeldKey(target.Name), null);
        }
        var guard = new IPEndPoint(IPAddress.Loopback, target.GuardPort);
        using var limit = Limit(cancellationToken);
        try
        {
            await using var inside = await TlsDial.ConnectAsync(guard, target.Name, _ => true, offersHttp: false, limit.Token);
            if (inside.Shown is { } own) return (shown => shown.Key == own.Key, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The app is silent: as if it did not answer.
        }
        return (null, new Observation(
            ReachResult.Dead, "The app itself shows no TLS certificate on this device.",
            "Start the app, and check that it ends TLS itself, as its listener's flow 'tls' says."));
    }

    private async Task<Observation> ProbeAddressAsync(ProbeTarget target, IPAddress address, Func<ShownKey, bool> accepts, CancellationToken cancellationToken)
    {
        var server = new IPEndPoint(address, options.Value.ProbePorts.TryGetValue(target.Port, out var other) ? other : target.Port);
        using var limit = Limit(cancellationToken);
        try
        {
            var began = time.GetTimestamp();
            await using var dial = await TlsDial.ConnectAsync(server, target.Name, accepts, target.Kind == ProbeKind.Request, limit.Token);
            if (dial.Stream is not { } stream)
            {
                return dial.Shown is { } shown && !accepts(shown)
                    ? new Observation(
                        ReachResult.WrongKey,
                        $"At {server} somebody answers for {target.Name} under a key that is not this device's "
                            + $"(certificate by {shown.Issuer}, key {shown.Key[..16]}). Nothing was sent there.",
                        RelayReads)
                    : Dead(dial.Problem!);
            }
            if (target.Kind != ProbeKind.Request) return new Observation(ReachResult.Reachable, RoundTrip: time.GetElapsedTime(began));
            using var question = nonces.Begin(target.Name);
            began = time.GetTimestamp();
            return await ProbeRequest.SendAsync(stream, target.Name, question, limit.Token) is { } problem
                ? Dead($"At {server} the key is right, but {problem}.")
                : new Observation(ReachResult.Reachable, RoundTrip: time.GetElapsedTime(began));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Dead($"{server} did not carry a connection for {target.Name} within {options.Value.ProbeTimeout.TotalSeconds:0.#} s.");
        }
        catch (IOException)
        {
            return Dead($"{server} broke the connection for {target.Name}.");
        }
    }

    private static Observation Dead(string detail) => new(
        ReachResult.Dead, detail,
        "Check that the name's DNS record leads to the relay and that the relay passes TLS on to this device; the relay's log has the cause.");

    private string? HeldKey(string name) => certificates.Find(name) is { } bundle ? ShownKey.KeyOf(bundle.Leaf) : null;

    private ProbeLimit Limit(CancellationToken cancellationToken) => new(options.Value.ProbeTimeout, time, cancellationToken);

    /// <summary>A limit that follows the given clock.</summary>
    private sealed class ProbeLimit : IDisposable
    {
        private readonly CancellationTokenSource _clock;
        private readonly CancellationTokenSource _both;

        public ProbeLimit(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
        {
            _clock = new CancellationTokenSource(timeout, time);
            _both = CancellationTokenSource.CreateLinkedTokenSource(_clock.Token, cancellationToken);
        }

        public CancellationToken Token => _both.Token;

        public void Dispose()
        {
            _both.Dispose();
            _clock.Dispose();
        }
    }
}
