using System.Buffers;
using Piccolo.Api.Ingress;

namespace Piccolo.Tests.Ingress;

internal sealed class TlsBuffersTests
{
    private const int Short = 4 * 1024;
    private const int Long = 16 * 1024;

    private TlsBuffers _buffers = null!;

    [SetUp]
    public void SetUp() => _buffers = new TlsBuffers();

    [TearDown]
    public void TearDown() => _buffers.Dispose();

    [Test]
    public void Block_AfterOneThatWasFilled_IsLongUntilOneWasHardlyUsed()
    {
        var pool = _buffers.ForConnection().MemoryPool;
        var other = _buffers.ForConnection().MemoryPool;
        Assert.That(Use(pool, filled: 100), Is.EqualTo(Short));
        Assert.That(Use(pool, filled: Short), Is.EqualTo(Short));
        Assert.That(Use(pool, filled: Long), Is.EqualTo(Long));
        Assert.That(Use(other, filled: 100), Is.EqualTo(Short), "Each connection by itself.");
        Assert.That(Use(pool, filled: 100), Is.EqualTo(Long));
        Assert.That(Use(pool, filled: 100), Is.EqualTo(Short));
    }

    [Test]
    public void Block_ForALongMessage_IsLongAtOnce()
    {
        var pool = _buffers.ForConnection().MemoryPool;
        using var block = pool.Rent(Short + 1);
        Assert.That(block.Memory.Length, Is.EqualTo(Long));
        Assert.That(pool.MaxBufferSize, Is.EqualTo(Long));
    }

    [TestCase(100)]
    [TestCase(Short)]
    [TestCase(Long)]
    public void Block_ThatCameBack_IsWipedWhateverItsLength(int filled)
    {
        var pool = _buffers.ForConnection().MemoryPool;
        Memory<byte> seen;
        using (var block = pool.Rent(filled))
        {
            seen = block.Memory;
            seen.Span[..filled].Fill(0xAB);
        }
        Assert.That(seen.Span.ContainsAnyExcept((byte)0), Is.False);
    }

    private static int Use(MemoryPool<byte> pool, int filled)
    {
        using var block = pool.Rent();
        block.Memory.Span[..Math.Min(filled, block.Memory.Length)].Fill(1);
        return block.Memory.Length;
    }
}
