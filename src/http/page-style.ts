/** The look of the page: system fonts, one accent colour, light or dark as the system is. No third party is asked for anything. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ground:#f7f8f9;--card:#fff;--text:#1b2128;--soft:#57606b;--line:#d9dee4;--accent:#0b6b62;--on-accent:#fff;--code:#f1f4f6;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ground:#12161a;--card:#1a2026;--text:#e6eaee;--soft:#a2adb8;--line:#303943;--accent:#5cc7b8;--on-accent:#08211e;--code:#11161b;--bad:#ff9a90}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:46rem;margin:0 auto;padding:2.5rem 1rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:1.1rem;margin:2.25rem 0 .6rem}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0}
.card>:last-child,form>:last-child,.inside>:last-child{margin-bottom:0}
.soft{color:var(--soft)}
a{color:var(--accent)}
code,pre,input{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem}
.row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.row>code,.row>input,.row>select{flex:1 1 12rem;min-width:0}
.row>code{overflow-wrap:anywhere}
form .row{align-items:stretch}
label{display:block;font-weight:600;margin-bottom:.35rem}
input,select{padding:.5rem .65rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--card);color:inherit}
select{font:inherit;width:100%}
button{font:inherit;padding:.45rem .9rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card);color:var(--accent);cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
button:hover{border-color:var(--accent)}
button.copy{padding:.15rem .6rem;font-size:.875rem}
#said:not(:empty){margin-top:.6rem}
#said.bad{color:var(--bad)}
ul{padding-left:1.2rem;margin:.6rem 0}
#models{list-style:none;padding:0;margin:0 0 1rem}
#models li{padding:.6rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
#models li:first-child{border-top:0;padding-top:0}
#models b{color:var(--text);font-variant-numeric:tabular-nums}
.mark{font-size:.8rem;color:var(--accent);border:1px solid;border-radius:1rem;padding:0 .5rem;margin-left:.4rem;white-space:nowrap}
details{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:.5rem 0}
summary{padding:.7rem 1rem;cursor:pointer;border-radius:.6rem}
summary h3{display:inline;margin-left:.25rem}
summary::marker{color:var(--accent)}
.inside{padding:0 1rem 1rem}
figure{margin:.9rem 0 0}
figcaption{display:flex;gap:.75rem;justify-content:space-between;align-items:baseline;font-size:.875rem;color:var(--soft)}
pre{margin:.35rem 0 0;padding:.75rem;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--code);border:1px solid var(--line);border-radius:.4rem;line-height:1.5}
.notes{font-size:.9rem;color:var(--soft);overflow-wrap:anywhere}
footer{margin-top:2.5rem;font-size:.9rem;color:var(--soft)}
[hidden]{display:none!important}
`
