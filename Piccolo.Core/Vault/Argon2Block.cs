using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Piccolo.Core.Vault;

/// <summary>Argon2's compression function G over blocks of 128 words (RFC 9106, section 3.5).</summary>
internal static unsafe class Argon2Block
{
    public const int Bytes = 1024;
    public const int Words = Bytes / sizeof(ulong);

    private const int Vectors = Words / 4;
    private const byte RotateLanes1 = 0b00_11_10_01;
    private const byte RotateLanes2 = 0b01_00_11_10;
    private const byte RotateLanes3 = 0b10_01_00_11;
    private const byte SwapHalves = 0b10_11_00_01;

    /// <summary>The work is laid out for vectors of four words; without them it would take four times as long as libsodium's.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary><c>next = G(previous, reference)</c>, and that over what was in <c>next</c> where <paramref name="over"/>. Blocks may be the same.</summary>
    public static void Fill(ulong* previous, ulong* reference, ulong* next, bool over)
    {
        var z = stackalloc Vector256<ulong>[Vectors];
        for (var i = 0; i < Vectors; i++)
        {
            var r = Vector256.Load(previous + (i * 4)) ^ Vector256.Load(reference + (i * 4));
            z[i] = r;
            (over ? r ^ Vector256.Load(next + (i * 4)) : r).Store(next + (i * 4));
        }
        for (var i = 0; i < Vectors; i += 8) Rows(z + i);
        for (var i = 0; i < 4; i++) Columns(z + i);
        for (var i = 0; i < Vectors; i++) (z[i] ^ Vector256.Load(next + (i * 4))).Store(next + (i * 4));
    }

    /// <summary>Two rows at once: eight vectors that lie together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rows(Vector256<ulong>* v)
    {
        Vector256<ulong> a0 = v[0], b0 = v[1], c0 = v[2], d0 = v[3], a1 = v[4], b1 = v[5], c1 = v[6], d1 = v[7];
        Mix(ref a0, ref b0, ref c0, ref d0, ref a1, ref b1, ref c1, ref d1);
        (b0, b1) = (Avx2.Permute4x64(b0, RotateLanes1), Avx2.Permute4x64(b1, RotateLanes1));
        (c0, c1) = (Avx2.Permute4x64(c0, RotateLanes2), Avx2.Permute4x64(c1, RotateLanes2));
        (d0, d1) = (Avx2.Permute4x64(d0, RotateLanes3), Avx2.Permute4x64(d1, RotateLanes3));
        Mix(ref a0, ref b0, ref c0, ref d0, ref a1, ref b1, ref c1, ref d1);
        (v[0], v[4]) = (a0, a1);
        (v[1], v[5]) = (Avx2.Permute4x64(b0, RotateLanes3), Avx2.Permute4x64(b1, RotateLanes3));
        (v[2], v[6]) = (Avx2.Permute4x64(c0, RotateLanes2), Avx2.Permute4x64(c1, RotateLanes2));
        (v[3], v[7]) = (Avx2.Permute4x64(d0, RotateLanes1), Avx2.Permute4x64(d1, RotateLanes1));
    }

    /// <summary>Two columns at once: each row's vector holds two words of either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns(Vector256<ulong>* v)
    {
        Vector256<ulong> a0 = v[0], a1 = v[4], b0 = v[8], b1 = v[12], c0 = v[16], c1 = v[20], d0 = v[24], d1 = v[28];
        Mix(ref a0, ref b0, ref c0, ref d0, ref a1, ref b1, ref c1, ref d1);
        (b0, b1) = (Across(b1, b0), Across(b0, b1));
        (c0, c1) = (c1, c0);
        (d0, d1) = (Across(d0, d1), Across(d1, d0));
        Mix(ref a0, ref b0, ref c0, ref d0, ref a1, ref b1, ref c1, ref d1);
        (v[0], v[4]) = (a0, a1);
        (v[8], v[12]) = (Across(b0, b1), Across(b1, b0));
        (v[16], v[20]) = (c1, c0);
        (v[24], v[28]) = (Across(d1, d0), Across(d0, d1));
    }

    /// <summary>In each half: the upper word of <paramref name="low"/>, then the lower word of <paramref name="high"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Across(Vector256<ulong> high, Vector256<ulong> low) => Avx2.AlignRight(high.AsByte(), low.AsByte(), 8).AsUInt64();

    /// <summary>GB on two sets of four, side by side, so that the processor need not wait for either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector256<ulong> a0, ref Vector256<ulong> b0, ref Vector256<ulong> c0, ref Vector256<ulong> d0,
        ref Vector256<ulong> a1, ref Vector256<ulong> b1, ref Vector256<ulong> c1, ref Vector256<ulong> d1)
    {
        (a0, a1) = (Add(a0, b0), Add(a1, b1));
        (d0, d1) = (Rotate32(d0 ^ a0), Rotate32(d1 ^ a1));
        (c0, c1) = (Add(c0, d0), Add(c1, d1));
        (b0, b1) = (Rotate24(b0 ^ c0), Rotate24(b1 ^ c1));
        (a0, a1) = (Add(a0, b0), Add(a1, b1));
        (d0, d1) = (Rotate16(d0 ^ a0), Rotate16(d1 ^ a1));
        (c0, c1) = (Add(c0, d0), Add(c1, d1));
        (b0, b1) = (Rotate63(b0 ^ c0), Rotate63(b1 ^ c1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Add(Vector256<ulong> a, Vector256<ulong> b)
    {
        var product = Avx2.Multiply(a.AsUInt32(), b.AsUInt32());
        return a + b + (product + product);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Rotate32(Vector256<ulong> v) => Avx2.Shuffle(v.AsUInt32(), SwapHalves).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Rotate24(Vector256<ulong> v) => Avx2.Shuffle(v.AsByte(), Vector256.Create(
        (byte)3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Rotate16(Vector256<ulong> v) => Avx2.Shuffle(v.AsByte(), Vector256.Create(
        (byte)2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Rotate63(Vector256<ulong> v) => Vector256.ShiftRightLogical(v, 63) ^ (v + v);
}
