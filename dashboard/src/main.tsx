import { render } from 'preact'
import { App } from './app.js'
import './styles/base.css'
import './styles/layout.css'
import './styles/parts.css'
import './styles/timeline.css'

render(<App />, document.getElementById('page') as HTMLElement)
