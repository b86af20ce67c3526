using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Tests.Ingress.EventLoop;

internal sealed class BlockPoolTests
{
    private const int RecordLength = 16 * 1024;

    private BlockPool _pool = null!;

    [SetUp]
    public void SetUp() => _pool = new BlockPool();

    [TearDown]
    public void TearDown() => _pool.Dispose();

    [TestCase(-1)]
    [TestCase(1)]
    [TestCase(RecordLength)]
    public void Rent_WhateverLess_IsABlockOfATlsRecord(int length)
    {
        using var block = _pool.Rent(length);

        Assert.That(block.Memory.Length, Is.EqualTo(RecordLength));
    }

    [Test]
    public void Rent_MoreThanABlock_IsRefused() => Assert.That(() => _pool.Rent(_pool.MaxBufferSize + 1), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Block_Returned_IsRentedAgain()
    {
        var first = _pool.Rent();
        var memory = first.Memory;
        first.Dispose();

        Assert.That(_pool.Rent().Memory.Equals(memory), Is.True);
    }

    [Test]
    public void Trim_IdleBlock_IsLeftToTheCollector()
    {
        var first = _pool.Rent();
        var memory = first.Memory;
        first.Dispose();

        _pool.Trim();

        Assert.That(_pool.Rent().Memory.Equals(memory), Is.False);
    }

    [Test]
    public void Block_ReturnedTwice_IsLentToOneOnly()
    {
        var block = _pool.Rent();
        block.Dispose();
        block.Dispose();
        using var a = _pool.Rent();
        using var b = _pool.Rent();

        Assert.That(a.Memory.Equals(b.Memory), Is.False);
    }
}
