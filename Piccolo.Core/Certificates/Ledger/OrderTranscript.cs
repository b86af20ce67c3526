using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>What the device and the CA said to each other in one attempt.</summary>
/// <param name="Outcome"><c>issued</c>, or the code of the failure.</param>
/// <param name="Dropped">Exchanges beyond the bound that were not kept.</param>
public sealed record OrderTranscript(
    DateTimeOffset Began, DateTimeOffset Ended, Uri Directory, bool Resumed, string Outcome, IReadOnlyList<AcmeExchange> Exchanges, int Dropped);

/// <summary>The last attempts for one certificate, newest first.</summary>
internal sealed record TranscriptRecord(string Id, IReadOnlyList<OrderTranscript> Orders)
{
    public const int MaxOrders = 3;

    public TranscriptRecord With(OrderTranscript newest) => this with { Orders = [.. Orders.Prepend(newest).Take(MaxOrders)] };
}
