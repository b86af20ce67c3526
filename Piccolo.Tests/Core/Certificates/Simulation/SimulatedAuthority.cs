using System.Collections.Immutable;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;

namespace Piccolo.Tests.Core.Certificates.Simulation;

/// <summary>A CA that answers at once, is out of reach in seeded spans, and now and then refuses; counts what a real one limits.</summary>
internal sealed class SimulatedAuthority(Outages outages, TimeSpan lifetime, bool hints, Random random, TimeProvider time) : ICertificateIssuer
{
    private static readonly Uri Directory = new("https://ca.test/dir");
    private readonly Lock _gate = new();

    public ImmutableArray<Uri> Directories { get; } = [Directory];

    /// <summary>When each issued certificate ends, per id, in the order of issuance.</summary>
    public Dictionary<string, List<(DateTimeOffset Issued, DateTimeOffset NotAfter)>> Issued { get; } = [];

    public int Asked { get; private set; }

    public Task<AcmeResult<CertificateRecord>> IssueAsync(OrderTicket ticket, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            Asked++;
            if (outages.At(now) is { } failure) return Task.FromResult<AcmeResult<CertificateRecord>>(failure);
            ticket.Ledger.Placing();
            // Even a CA that is reachable is at times of another opinion.
            if (random.Next(20) == 0)
            {
                var refusal = new AcmeFailure(AcmeFailureClass.ChallengeFailed, "challenge_connection", "not reached") { Name = ticket.Wanted.Names[0].Value };
                return Task.FromResult<AcmeResult<CertificateRecord>>(refusal);
            }
            var id = ticket.Wanted.Id;
            if (!Issued.TryGetValue(id, out var list)) Issued[id] = list = [];
            list.Add((now, now + lifetime));
            ticket.Ledger.Issued();
            var record = new CertificateRecord(id, [.. ticket.Wanted.Names.Select(n => n.Value)], [], $"{list.Count}", now, Directory, random.NextDouble());
            return Task.FromResult<AcmeResult<CertificateRecord>>(record);
        }
    }

    public Task<AcmeResult<RenewalHint?>> HintAsync(Uri directory, string certificateId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!hints) return Task.FromResult<AcmeResult<RenewalHint?>>((RenewalHint?)null);
        if (outages.At(now) is { } failure) return Task.FromResult<AcmeResult<RenewalHint?>>(failure);
        // What Let's Encrypt suggests: two days around the last third's begin; here and there it wants one at once.
        var issued = DateTimeOffset.FromUnixTimeSeconds(long.Parse(certificateId.Split('@')[1], System.Globalization.CultureInfo.InvariantCulture));
        lock (_gate)
        {
            var middle = random.Next(500) == 0 ? now - TimeSpan.FromDays(2) : issued + (lifetime * 2 / 3);
            var half = lifetime / 90;
            return Task.FromResult<AcmeResult<RenewalHint?>>(new RenewalHint(middle - half, middle + half, null, TimeSpan.FromHours(6)));
        }
    }

    public Task<AcmeFailure?> RevokeAsync(Uri directory, byte[] certificateDer, CancellationToken cancellationToken) => Task.FromResult<AcmeFailure?>(null);
}

/// <summary>
/// Spans in which the CA gives nothing, drawn from a seed. In each window of a third of a lifetime there is at least one hour in which it does.
/// </summary>
internal sealed class Outages
{
    private static readonly TimeSpan Open = TimeSpan.FromHours(1.5);
    private readonly List<(DateTimeOffset From, DateTimeOffset To, AcmeFailure Failure)> _spans = [];

    /// <param name="anyKind">Long ones too may be answers of the CA, after which each name waits by itself; else long ones are of the network.</param>
    public Outages(DateTimeOffset start, TimeSpan length, TimeSpan longest, bool anyKind, Random random)
    {
        var at = start + TimeSpan.FromHours(6);
        while (at < start + length)
        {
            // From minutes to nearly all of what may pass between two open hours.
            var span = random.Next(4) == 0 ? longest * (0.5 + (random.NextDouble() * 0.45)) : TimeSpan.FromMinutes(5 + (random.NextDouble() * 3000));
            if (span > longest * 0.95) span = longest * 0.95;
            _spans.Add((at, at + span, Failures[random.Next(span > TimeSpan.FromHours(12) && !anyKind ? 2 : Failures.Length)]));
            at += span + Open + (random.Next(3) == 0 ? TimeSpan.Zero : longest * random.NextDouble());
        }
    }

    private static AcmeFailure[] Failures { get; } =
    [
        new(AcmeFailureClass.Network, "connect_failed", "unreachable"),
        new(AcmeFailureClass.Network, "dns_failed", "no such name"),
        new(AcmeFailureClass.CaUnavailable, "http_503", "down"),
        new(AcmeFailureClass.CaUnavailable, "server_internal", "broken") { RetryAfter = TimeSpan.FromMinutes(20) },
    ];

    public AcmeFailure? At(DateTimeOffset now)
    {
        var index = _spans.BinarySearch((now, now, Failures[0]),
            Comparer<(DateTimeOffset From, DateTimeOffset To, AcmeFailure)>.Create((a, b) => a.From.CompareTo(b.From)));
        if (index < 0) index = ~index - 1;
        return index >= 0 && now < _spans[index].To ? _spans[index].Failure : null;
    }
}
