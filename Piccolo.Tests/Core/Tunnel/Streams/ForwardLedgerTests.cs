using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Tests.Core.Tunnel.Streams;

[Category("Nexus")]
internal sealed class ForwardLedgerTests
{
    private readonly FakeTimeProvider _time = new();
    private GrantBudget _budget = null!;
    private ForwardLedger _ledger = null!;

    [SetUp]
    public void Open()
    {
        _budget = new GrantBudget(() => TimeSpan.FromMilliseconds(1), _time);
        _ledger = new ForwardLedger(_budget);
    }

    [Test]
    public void Nx097_SmallMessages_AreGrantedMoreWhenFewAreLeft()
    {
        for (var message = 0; message < 3; message++)
        {
            _ledger.TryReceive(100);
            Assert.That(_ledger.Consume(100), Is.False);
        }

        _ledger.TryReceive(100);
        Assert.That((_ledger.Consume(50), _ledger.TakeGrant()), Is.EqualTo((true, 11)), "one is not consumed yet");
        Assert.That((_ledger.Consume(50), _ledger.IsEmpty), Is.EqualTo((false, true)));
    }

    [Test]
    public void Nx047_EmptyMessages_CostOneEach()
    {
        for (var message = 0; message < 3; message++)
        {
            _ledger.TryReceive(0);
            Assert.That(_ledger.Consume(0), Is.False);
        }

        _ledger.TryReceive(0);
        Assert.That((_ledger.Consume(0), _ledger.TakeGrant()), Is.EqualTo((true, 12)));
    }

    [Test]
    public void OnePostedGrant_CarriesAllThatIsDue()
    {
        for (var message = 0; message < 8; message++) _ledger.TryReceive(1);

        var posts = Enumerable.Range(0, 8).Count(_ => _ledger.Consume(1));

        Assert.That((posts, _ledger.TakeGrant(), _ledger.TakeGrant()), Is.EqualTo((1, 16, 0)));
    }

    [Test]
    public void MoreThanWindowAndUncharged_IsAViolation()
    {
        var received = Enumerable.Range(0, 400).Count(_ => _ledger.TryReceive(1));

        Assert.That(received, Is.EqualTo(64 + 256));
    }

    [Test]
    public void EndedStream_IsGrantedNothing_AndGivesItsShareBack()
    {
        Upload(_ledger);
        var share = Share();
        var others = new ForwardLedger(_budget);
        Upload(others);
        Assert.That(Share(), Is.LessThan(share));

        others.End();
        others.TryReceive(32_768);

        Assert.That((others.Consume(32_768), others.TakeGrant(), Share()), Is.EqualTo((false, 0, share)));
    }

    [Test]
    public void UploadThatStandsStill_GivesItsShareBack_UntilItGoesOn()
    {
        Upload(_ledger);
        var alone = Share();
        var still = new ForwardLedger(_budget);
        Upload(still);
        var beside = Share();

        still.OnIdle();
        var after = Share();
        Upload(still);

        Assert.That(beside, Is.LessThan(alone));
        Assert.That((after, Share()), Is.EqualTo((alone, beside)));
    }

    /// <summary>However many there are, and whatever of it the apps have read: the relay's lane of 256 messages never has to hold more than it can.</summary>
    [TestCase(1, 64)]
    [TestCase(2, 128)]
    [TestCase(6, 192)]
    [TestCase(12, 192)]
    [TestCase(20, 192)]
    public void Uploads_AreNeverGrantedMoreThanTheLaneHolds_AndNoneStarves(int uploads, int most)
    {
        var least = Transfer(uploads, rounds: 4_000, out var peak);

        TestContext.Out.WriteLine($"{uploads} uploads: at most {peak} messages under way, the slowest sent {least}");
        Assert.That(peak, Is.LessThanOrEqualTo(most));
        Assert.That(peak, Is.GreaterThanOrEqualTo(Math.Min(64, 16 * uploads)), "a fast way is used");
        Assert.That(least, Is.GreaterThanOrEqualTo(4_000 / uploads / 4));
    }

    [Test]
    public void ThreeHundredUploads_AllGoOn() => Assert.That(Transfer(300, rounds: 30_000, out _), Is.GreaterThanOrEqualTo(20));

    /// <summary>What waits in the lane delays everybody: on a slow way it is a tenth of a second's worth.</summary>
    [Test]
    public void OnASlowWay_FewMessagesAreUnderWay()
    {
        // 250 messages of 32 KiB in a second.
        Transfer(4, rounds: 500, out _, TimeSpan.FromMilliseconds(4));

        Transfer(4, rounds: 500, out var peak, TimeSpan.FromMilliseconds(4));

        Assert.That(peak, Is.LessThanOrEqualTo(48));
    }

    private int Share()
    {
        _budget.Room(0, out var share);
        return share;
    }

    private static void Upload(ForwardLedger ledger)
    {
        ledger.TryReceive(32_768);
        ledger.Consume(32_768);
        ledger.TakeGrant();
    }

    /// <summary>Every user sends whatever it may, as fast as the way takes it; the app reads a message some time after it came.</summary>
    /// <returns>How much the slowest has sent.</returns>
    private int Transfer(int uploads, int rounds, out int peak, TimeSpan? each = null)
    {
        var random = new Random(uploads);
        var streams = Enumerable.Range(0, uploads).Select(_ => (Ledger: new ForwardLedger(_budget), Unread: new Queue<int>())).ToArray();
        var (credits, sent, under) = (Enumerable.Repeat(ForwardLedger.First, uploads).ToArray(), new int[uploads], new List<int>());
        for (var round = 0; round < rounds; round++)
        {
            var able = Enumerable.Range(0, uploads).Where(n => credits[n] > 0).ToArray();
            if (able.Length > 0)
            {
                var n = able[random.Next(able.Length)];
                (credits[n], sent[n]) = (credits[n] - 1, sent[n] + 1);
                Assert.That(streams[n].Ledger.TryReceive(32_768), Is.True);
                streams[n].Unread.Enqueue(32_768);
            }

            foreach (var n in Enumerable.Range(0, uploads).Where(n => streams[n].Unread.Count > random.Next(3)))
            {
                if (streams[n].Ledger.Consume(streams[n].Unread.Dequeue())) credits[n] += streams[n].Ledger.TakeGrant();
            }

            _time.Advance(each ?? TimeSpan.FromMilliseconds(0.2));
            under.Add(credits.Sum());
        }

        foreach (var (ledger, _) in streams) ledger.End();
        peak = under.Skip(rounds / 4).Max();
        return sent.Min();
    }
}
