import m from 'node:module'; console.log(m.enableCompileCache('/tmp/cw/cc'));
let t=performance.now(); await import('wrangler'); console.log('wrangler', performance.now()-t); process.exit(0)
