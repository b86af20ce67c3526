using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.ControlStore;

namespace Piccolo.Tests.Core.Certificates.Ledger;

/// <summary>Rows that an earlier build stored mean the same to this one.</summary>
internal sealed class AttemptRecordTests
{
    [Test]
    public void Row_OfAnEarlierBuild_KeepsItsCountOfFailures()
    {
        var row = """
            {"id":"host:web","names":["web.home.test"],"last_attempt":"2026-11-01T00:00:00+00:00","failures":5,"in_row":3,
             "next_attempt":"2026-11-01T01:00:00+00:00","running":false}
            """u8;

        var attempt = StoreCollection<AttemptRecord>.Deserialize(row);

        Assert.That((attempt.Failures, attempt.ConsecutiveFailures), Is.EqualTo((5, 3)));
    }
}
