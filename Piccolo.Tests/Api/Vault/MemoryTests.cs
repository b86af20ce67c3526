using System.Security.Cryptography;
using System.Text;
using Piccolo.Api.Ingress;
using Piccolo.Api.Platform;
using Piccolo.DevStack.Prove;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress;

namespace Piccolo.Tests.Api.Vault;

/// <summary>The parts that take secrets out of memory, and the search that shows it (<c>./dev prove leaks</c> is the whole).</summary>
/// <remarks>Not beside others: the TLS contexts that are dropped are those of the whole process, and so is the memory that is searched.</remarks>
[NonParallelizable]
internal sealed class MemoryTests
{
    [Test]
    public void Block_GivenBack_IsWipedBeforeItIsLentAgain()
    {
        using var pool = new WipingMemoryPool();
        var first = pool.Rent();
        var memory = first.Memory;
        "canary"u8.CopyTo(memory.Span);
        first.Dispose();

        Assert.That(memory.Span.IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        Assert.That(pool.Rent().Memory.Equals(memory), Is.True, "it is the same block");
    }

    [Test]
    public void Block_GivenBackTwice_IsLentToOneOnly()
    {
        using var pool = new WipingMemoryPool();
        var block = pool.Rent();
        block.Dispose();
        block.Dispose();
        using var a = pool.Rent();
        using var b = pool.Rent();

        Assert.That(a.Memory.Equals(b.Memory), Is.False);
    }

    [Test]
    public void Rent_MoreThanABlock_IsRefused()
    {
        using var pool = new WipingMemoryPool();

        Assert.That(() => pool.Rent(pool.MaxBufferSize + 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(pool.Rent(pool.MaxBufferSize).Memory.Length, Is.EqualTo(pool.MaxBufferSize));
    }

    [Test]
    public async Task TlsContexts_AfterAHandshake_AreFoundAndLetGoOf()
    {
        await using var door = await FrontDoor.StartAsync();
        door.PublishPortal();
        await using (await door.ConnectTlsAsync("portal.home.test"))
        {
        }

        Assert.That(TlsContextCache.DropServers(), Is.GreaterThan(0), "a new runtime keeps its TLS contexts elsewhere: the keys in them outlive a lock");
        await using var again = await door.ConnectTlsAsync("portal.home.test");
        Assert.That(again.IsAuthenticated, Is.True, "handshakes go on");
    }

    [Test]
    public void Search_FileWithTheSecretAcrossTwoChunks_FindsEveryForm()
    {
        using var folder = new TempFolder();
        var canary = Canary.OfText("secret", "canary-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        var file = folder.File("disk");
        for (var form = 0; form < canary.Forms.Length; form++)
        {
            using (var stream = File.Create(file))
            {
                stream.Position = (1 << 22) - 5;
                stream.Write(canary.Forms[form]);
                stream.Position = (1 << 23) + 1;
                stream.WriteByte(0);
            }
            Assert.That(Places.SearchFile(file, [canary]), Is.EqualTo(new[] { new Leak(file, "secret", form) }));
        }
        File.WriteAllText(file, "nothing");
        Assert.That(Places.SearchFile(file, [canary]), Is.Empty);
    }

    [Test]
    public void Search_OwnMemory_SeesAStringAndAKeyInEitherByteOrder()
    {
        var text = "canary-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var key = RandomNumberGenerator.GetBytes(32);
        var held = (Text: new StringBuilder(text).ToString(), Key: key.Reverse().ToArray());

        var leaks = Places.SearchMemory(Environment.ProcessId, [Canary.OfText("text", text), Canary.OfKey("key", key)]);

        Assert.That(leaks.Select(l => l.Canary).Distinct(), Is.EquivalentTo(new[] { "text", "key" }));
        GC.KeepAlive(held);
    }
}
