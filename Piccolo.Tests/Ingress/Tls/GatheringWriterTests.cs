using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Tls;

internal sealed class GatheringWriterTests
{
    private const int BlockLength = 1024;

    private CountingPool _memory = null!;
    private SlowStream _target = null!;
    private GatheringWriter _writer = null!;

    [SetUp]
    public void SetUp()
    {
        (_memory, _target) = (new CountingPool(), new SlowStream());
        _writer = new GatheringWriter(_target, _memory, NullLogger.Instance);
    }

    [TearDown]
    public void TearDown()
    {
        _memory.Dispose();
        _target.Dispose();
    }

    [Test]
    public async Task Flush_WhileOthersAreBeingSent_GoesWithTheNext()
    {
        await WriteAsync(new byte[] { 1 });
        await _target.Started();
        for (byte i = 2; i <= 20; i++) await WriteAsync(new byte[] { i });
        _target.Release();
        await _target.Started();
        _target.Release();
        await EndAsync();

        Assert.That(_target.Writes.Select(w => w.Length), Is.EqualTo(new[] { 1, 19 }));
        Assert.That(_target.Writes.SelectMany(w => w), Is.EqualTo(Enumerable.Range(1, 20).Select(i => (byte)i)));
    }

    [Test]
    public async Task Flush_OfMoreThanThePeerTakes_WaitsForRoom()
    {
        ValueTask<FlushResult> flush = default;
        for (var i = 0; i < 64; i++) flush = WriteAsync(new byte[BlockLength]);
        var waiting = flush.AsTask();
        Assert.That(waiting.IsCompleted, Is.False);

        _target.ReleaseAll();

        var result = await waiting.WaitAsync(FrontDoor.Patience);
        Assert.That((result.IsCanceled, result.IsCompleted), Is.EqualTo((false, false)));
        await EndAsync();
        Assert.That(_target.Writes.Sum(w => w.Length), Is.EqualTo(64 * BlockLength));
    }

    [Test]
    public async Task CancelPendingFlush_EndsTheWaitAndLosesNothing()
    {
        ValueTask<FlushResult> flush = default;
        for (var i = 0; i < 64; i++) flush = WriteAsync(new byte[BlockLength]);
        _writer.CancelPendingFlush();
        Assert.That((await flush.AsTask().WaitAsync(FrontDoor.Patience)).IsCanceled, Is.True);

        _target.ReleaseAll();
        await EndAsync();
        Assert.That(_target.Writes.Sum(w => w.Length), Is.EqualTo(64 * BlockLength));
    }

    private static readonly Exception[] Failures =
        [new IOException("A test."), new System.Security.Authentication.AuthenticationException("A test."), new ArithmeticException("A test.")];

    [TestCaseSource(nameof(Failures))]
    public async Task Failure_OfTheConnection_EndsWhoWaitsAndWhoComesLater(Exception failure)
    {
        ValueTask<FlushResult> flush = default;
        for (var i = 0; i < 64; i++) flush = WriteAsync(new byte[BlockLength]);
        _target.Fail(failure);

        Assert.That((await flush.AsTask().WaitAsync(FrontDoor.Patience)).IsCompleted, Is.True);
        Assert.That((await WriteAsync(new byte[] { 1 })).IsCompleted, Is.True);
        await EndAsync();
        Assert.That(_memory.Lent, Is.Zero);
    }

    [Test]
    public async Task Memory_ThatIsBeingFilledDuringASend_IsNotGivenBack()
    {
        await WriteAsync(new byte[] { 1 });
        await _target.Started();
        var room = _writer.GetMemory(1);
        _target.Release();
        await _writer.UntilQuietAsync().WaitAsync(FrontDoor.Patience);

        room.Span[0] = 2;
        _writer.Advance(1);
        await _writer.FlushAsync();
        await _target.Started();
        _target.Release();
        await EndAsync();

        Assert.That(_target.Writes.SelectMany(w => w), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(_memory.Lent, Is.Zero);
    }

    [Test]
    public async Task Memory_OfAConnectionThatIsQuiet_IsGivenBack()
    {
        await WriteAsync(new byte[] { 1 });
        _target.ReleaseAll();
        await _writer.UntilQuietAsync().WaitAsync(FrontDoor.Patience);

        Assert.That(_memory.Lent, Is.Zero);
    }

    [Test]
    public async Task Complete_WithBytesThatNobodyFlushed_SendsThem()
    {
        _writer.Write("last"u8);
        _target.ReleaseAll();
        await EndAsync();

        Assert.That(_target.Writes.Single(), Is.EqualTo("last"u8.ToArray()));
        Assert.That(() => _writer.GetMemory(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Complete_WithAFailure_SendsNothingMore()
    {
        _writer.Write("last"u8);
        _writer.Complete(new IOException("A test."));
        await _writer.UntilQuietAsync();

        Assert.That(_target.Writes, Is.Empty);
        Assert.That(_memory.Lent, Is.Zero);
    }

    [Test]
    public async Task Write_OfAnySizes_ArrivesInOrder()
    {
        _target.ReleaseAll();
        var random = new Random(6);
        var sent = SocketSpliceTests.RandomBytes(300_000, seed: 6);
        for (var at = 0; at < sent.Length;)
        {
            var length = Math.Min(random.Next(1, 3 * BlockLength), sent.Length - at);
            await WriteAsync(sent.AsMemory(at, length)).AsTask().WaitAsync(FrontDoor.Patience);
            at += length;
        }
        await EndAsync();

        Assert.That(_target.Writes.SelectMany(w => w), Is.EqualTo(sent));
        Assert.That(_memory.Lent, Is.Zero);
    }

    private ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        _writer.Write(bytes.Span);
        return _writer.FlushAsync();
    }

    private Task EndAsync()
    {
        _writer.Complete();
        return _writer.UntilQuietAsync().WaitAsync(FrontDoor.Patience);
    }

    /// <summary>Takes a write when it is let.</summary>
    private sealed class SlowStream : MemoryStream
    {
        private readonly SemaphoreSlim _started = new(0);
        private readonly SemaphoreSlim _released = new(0);
        private volatile Exception? _failure;

        public List<byte[]> Writes { get; } = [];

        public Task<bool> Started() => _started.WaitAsync(FrontDoor.Patience);

        public void Release() => _released.Release();

        public void ReleaseAll() => _released.Release(1_000_000);

        public void Fail(Exception failure)
        {
            _failure = failure;
            ReleaseAll();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _started.Release();
            await _released.WaitAsync(cancellationToken);
            if (_failure is not null) throw _failure;
            Writes.Add(buffer.ToArray());
        }

        protected override void Dispose(bool disposing)
        {
            _started.Dispose();
            _released.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class CountingPool : MemoryPool<byte>
    {
        private readonly BlockPool _inner = new(BlockLength);
        private int _lent;

        public int Lent => Volatile.Read(ref _lent);

        public override int MaxBufferSize => BlockLength;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Interlocked.Increment(ref _lent);
            return new CountedBlock(_inner.Rent(minBufferSize), this);
        }

        protected override void Dispose(bool disposing) => _inner.Dispose();

        private sealed class CountedBlock(IMemoryOwner<byte> block, CountingPool pool) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => block.Memory;

            public void Dispose()
            {
                block.Dispose();
                Interlocked.Decrement(ref pool._lent);
            }
        }
    }
}
