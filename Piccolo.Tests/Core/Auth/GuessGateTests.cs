using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Auth;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Auth;

[Category("Sealed")]
internal sealed class GuessGateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private FakeTimeProvider _time = null!;
    private PasswordCheckQueue _cost = null!;
    private GuessGate _gate = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new FakeTimeProvider();
        _cost = new PasswordCheckQueue(_time);
        _gate = new GuessGate(new GuessLimiter(_time), _cost);
    }

    [Test]
    public async Task Try_OverTheLimit_IsNotEvaluatedEvenIfRight()
    {
        var evaluated = 0;
        for (var i = 0; i < GuessPolicy.FreeFailures; i++) await TryAsync(Stranger(1), VaultOutcome.WrongPassword);

        var answer = await TryAsync(Stranger(1), VaultOutcome.Done);

        Assert.That(answer.Outcome, Is.Null);
        Assert.That(evaluated, Is.EqualTo(GuessPolicy.FreeFailures));
        _time.Advance(answer.RetryAfter);
        Assert.That((await TryAsync(Stranger(1), VaultOutcome.Done)).Outcome, Is.EqualTo(VaultOutcome.Done));

        Task<GuessAnswer> TryAsync(GuessSource source, VaultOutcome outcome) => _gate.TryAsync(source, _ =>
        {
            evaluated++;
            return Task.FromResult(outcome);
        }, CancellationToken.None);
    }

    [TestCase(VaultOutcome.NotSetUp)]
    [TestCase(VaultOutcome.AlreadySetUp)]
    [TestCase(VaultOutcome.Faulted)]
    [TestCase(VaultOutcome.WeakPassword)]
    public async Task Try_OutcomesThatAreNoGuess_NeverDelay(VaultOutcome outcome)
    {
        for (var i = 0; i < 50; i++)
            Assert.That((await _gate.TryAsync(Stranger(1), _ => Task.FromResult(outcome), CancellationToken.None)).Outcome, Is.EqualTo(outcome));
    }

    [Test]
    public async Task Try_EvaluationThrows_LetsTheNextOneIn()
    {
        Assert.That(async () => await _gate.TryAsync(Stranger(1), _ => throw new IOException("disk"), CancellationToken.None),
            Throws.InstanceOf<IOException>());

        Assert.That((await _gate.TryAsync(Stranger(1), _ => Task.FromResult(VaultOutcome.Done), CancellationToken.None).WaitAsync(Limit)).Outcome,
            Is.EqualTo(VaultOutcome.Done));
    }

    [Test]
    public async Task Try_Many_RunsOneAtATime()
    {
        var running = 0;
        var most = 0;
        var attempts = Enumerable.Range(0, PasswordCheckQueue.MaxWaiting).Select(i => _gate.TryAsync(Stranger(i), async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return VaultOutcome.WrongPassword;
        }, CancellationToken.None));

        var answers = await Task.WhenAll(attempts).WaitAsync(Limit);

        Assert.That(most, Is.EqualTo(1));
        Assert.That(answers.Select(a => a.Outcome), Is.All.EqualTo(VaultOutcome.WrongPassword));
    }

    [Test]
    public async Task Enter_LowerRank_GoesFirstAndTheRestInOrder()
    {
        Assert.That(await _cost.EnterAsync(4, CancellationToken.None), Is.True);
        var order = new List<string>();
        Task Queue(string name, int rank) => _cost.EnterAsync(rank, CancellationToken.None).ContinueWith(t =>
        {
            lock (order) order.Add(name);
            _cost.Leave();
            return t.Result;
        }, TaskScheduler.Default);
        var all = new[] { Queue("stranger 1", 4), Queue("stranger 2", 4), Queue("clean", 2), Queue("owner", 1), Queue("clean 2", 2) };

        _cost.Leave();
        await Task.WhenAll(all).WaitAsync(Limit);

        Assert.That(order, Is.EqualTo(new[] { "owner", "clean", "clean 2", "stranger 1", "stranger 2" }));
    }

    [Test]
    public async Task Enter_QueueFull_TurnsStrangersAwayAndLetsTheOwnerIn()
    {
        await _cost.EnterAsync(4, CancellationToken.None);
        var strangers = Enumerable.Range(0, PasswordCheckQueue.MaxWaiting).Select(_ => _cost.EnterAsync(4, CancellationToken.None)).ToList();

        Assert.That(await _cost.EnterAsync(4, CancellationToken.None).WaitAsync(Limit), Is.False);
        var owner = _cost.EnterAsync(1, CancellationToken.None);
        Assert.That(await strangers[^1].WaitAsync(Limit), Is.False, "the last to come makes room");
        Assert.That(_cost.Waiting, Is.EqualTo(PasswordCheckQueue.MaxWaiting));
        _cost.Leave();

        Assert.That(await owner.WaitAsync(Limit), Is.True);
    }

    [Test]
    public async Task Enter_WaitedTooLong_IsTurnedAway()
    {
        await _cost.EnterAsync(1, CancellationToken.None);
        var waiting = _cost.EnterAsync(1, CancellationToken.None);

        _time.Advance(PasswordCheckQueue.MaxWait);

        Assert.That(await waiting.WaitAsync(Limit), Is.False);
        Assert.That(_cost.Waiting, Is.Zero);
    }

    [Test]
    public async Task Enter_CallerWentAway_TakesNoTurn()
    {
        await _cost.EnterAsync(1, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var first = _cost.EnterAsync(1, gone.Token);
        var second = _cost.EnterAsync(1, CancellationToken.None);

        await gone.CancelAsync();
        Assert.That(async () => await first.WaitAsync(Limit), Throws.InstanceOf<OperationCanceledException>());
        _cost.Leave();

        Assert.That(await second.WaitAsync(Limit), Is.True);
        _cost.Leave();
        Assert.That(await _cost.EnterAsync(4, CancellationToken.None).WaitAsync(Limit), Is.True);
    }

    private static GuessSource Stranger(int number) => new("Tunnel", false, $"203.0.113.{number}");
}
